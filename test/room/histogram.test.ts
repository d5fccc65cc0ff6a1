import test from 'ava';
import fc from 'fast-check';
import {
  createHistogram,
  DAY,
  type DayRow,
  dayOf,
  reclaimable,
  type Use,
} from '../../daemon/room/histogram.ts';

const uses = fc.record({
  size: fc.integer({ min: 0, max: 1_000_000 }),
  lastUse: fc.integer({ min: -2 * DAY, max: 40 * DAY }),
});

function sumOf(entries: readonly Use[]) {
  return { entries: entries.length, bytes: entries.reduce((sum, { size }) => sum + size, 0) };
}

/** The slow way: a list of entries, counted when asked. */
function rowsOf(entries: readonly Use[]): DayRow[] {
  const days = [...new Set(entries.map(({ lastUse }) => dayOf(lastUse)))].sort((a, b) => a - b);
  return days.map((day) => {
    const { entries: number, bytes } = sumOf(
      entries.filter(({ lastUse }) => dayOf(lastUse) === day),
    );
    return [day, number, bytes];
  });
}

type Step = readonly ['add', Use] | readonly ['remove' | 'move', number, number];

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.tuple(fc.constant('add' as const), uses),
    fc.tuple(fc.constantFrom('remove' as const, 'move' as const), fc.nat(), fc.nat(60 * DAY)),
  ),
  { maxLength: 60 },
);

test('a histogram counts as a list of all entries would', (t) => {
  const checked = fc.property(steps, (all) => {
    const histogram = createHistogram();
    const model: Use[] = [];
    for (const step of all) {
      if (step[0] === 'add') {
        histogram.add(step[1]);
        model.push(step[1]);
        continue;
      }
      const [, pick, lastUse] = step;
      const [entry] = model.splice(pick % Math.max(1, model.length), 1);
      if (entry === undefined) continue;
      if (step[0] === 'remove') histogram.remove(entry);
      else {
        histogram.move(entry, lastUse);
        model.push({ ...entry, lastUse });
      }
    }
    t.deepEqual(histogram.rows(), rowsOf(model));
    t.deepEqual(histogram.totals(), sumOf(model));
    const old = model.filter(({ lastUse }) => dayOf(lastUse) < 10);
    t.deepEqual(histogram.before(10), sumOf(old));
  });
  t.notThrows(() => fc.assert(checked));
});

test('the cut-off day is the first up to which enough is freed', (t) => {
  const checked = fc.property(
    fc.array(uses),
    fc.integer({ min: -5, max: 5_000_000 }),
    (all, wanted) => {
      const histogram = createHistogram();
      for (const use of all) histogram.add(use);
      const day = histogram.cutOff(wanted);
      const freed = (limit: number) =>
        sumOf(all.filter((use) => dayOf(use.lastUse) <= limit)).bytes;
      if (wanted <= 0) t.is(day, Number.NEGATIVE_INFINITY);
      else if (day === Number.POSITIVE_INFINITY) t.true(sumOf(all).bytes < wanted);
      else t.true(freed(day) >= wanted && freed(day - 1) < wanted);
    },
  );
  t.notThrows(() => fc.assert(checked));
});

test('whatever is taken away, nothing counts less than nought, and a move keeps the totals', (t) => {
  const checked = fc.property(
    fc.array(uses),
    fc.array(uses),
    fc.array(uses),
    (some, others, moved) => {
      const histogram = createHistogram();
      for (const use of some) histogram.add(use);
      const before = histogram.totals();
      for (const use of moved) histogram.move(use, 50 * DAY);
      t.deepEqual(histogram.totals(), before);
      for (const use of others) histogram.remove(use);
      histogram.subtract(rowsOf(moved));
      t.true(histogram.rows().every(([, entries, bytes]) => entries > 0 && bytes >= 0));
    },
  );
  t.notThrows(() => fc.assert(checked));
});

test('a histogram is its rows: kept as JSON, it is the same again', (t) => {
  const checked = fc.property(fc.array(uses), fc.array(uses), (all, culled) => {
    const histogram = createHistogram();
    for (const use of [...all, ...culled]) histogram.add(use);
    const again = createHistogram(JSON.parse(JSON.stringify(histogram.rows())));
    t.deepEqual(again.rows(), histogram.rows());
    again.subtract(rowsOf(culled));
    t.deepEqual(again.rows(), rowsOf(all));
  });
  t.notThrows(() => fc.assert(checked));
});

test('what culling by age would free is told for the usual ages, never too much', (t) => {
  const now = 20_000 * DAY + DAY / 2;
  const histogram = createHistogram();
  for (const days of [0, 29, 31, 91, 200, 400]) {
    histogram.add({ size: 10, lastUse: now - days * DAY });
  }
  // On this day some of the entries are 30 days old and some are not: it does not count.
  histogram.add({ size: 10, lastUse: now - 30 * DAY - 1 });
  t.deepEqual(reclaimable(histogram, now), [
    { age: '30d', entries: 4, bytes: 40 },
    { age: '90d', entries: 3, bytes: 30 },
    { age: '180d', entries: 2, bytes: 20 },
    { age: '1y', entries: 1, bytes: 10 },
  ]);
});
