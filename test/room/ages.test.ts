import test from 'ava';
import { byAge, createHistogram, DAY, reclaimable } from '../../daemon/room/histogram.ts';

const now = 20_000 * DAY + 5;

function usedDaysAgo(...days: number[]) {
  const histogram = createHistogram();
  for (const count of days) histogram.add({ size: 10, lastUse: now - count * DAY });
  return histogram;
}

test('every entry is in one row, the youngest first, and the rows meet', (t) => {
  const rows = byAge(usedDaysAgo(0, 3, 20, 50, 100, 200, 400, 800, 2000), now);
  t.deepEqual(
    rows.map(({ entries }) => entries),
    [1, 1, 1, 1, 1, 1, 1, 2],
  );
  t.deepEqual(
    rows.map(({ from }) => from),
    ['0', ...rows.slice(0, -1).map(({ to }) => to)],
  );
  t.is(rows.at(-1)?.to, null);
  t.is(rows.at(-1)?.bytes, 20);
});

test('what a row says is older, culling by that age frees', (t) => {
  const histogram = usedDaysAgo(1, 29, 30, 31, 89, 90, 91, 364, 365, 366);
  const rows = byAge(histogram, now);
  for (const { age, entries } of reclaimable(histogram, now)) {
    const first = rows.findIndex(({ from }) => from === age);
    const older = rows.slice(first).reduce((sum, row) => sum + row.entries, 0);
    t.is(older, entries, age);
  }
});

test('an empty cache has rows of nothing', (t) => {
  t.true(byAge(createHistogram(), now).every(({ entries, bytes }) => entries + bytes === 0));
});
