import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { type Census, openCensus } from '../../daemon/room/census.ts';
import { createHistogram, DAY, type Use } from '../../daemon/room/histogram.ts';
import type { WalkReport } from '../../daemon/room/survey.ts';
import { type TestClock, testClock } from '../helpers/clock.ts';
import { tempDir } from '../helpers/files.ts';
import { gate } from '../helpers/gate.ts';

interface Scene {
  readonly census: Census;
  readonly clock: TestClock;
  readonly path: string;
}

interface Options {
  readonly walk?: () => Promise<WalkReport>;
  readonly path?: string;
  readonly clock?: TestClock;
}

async function scene(t: ExecutionContext, options: Options = {}): Promise<Scene> {
  const path = options.path ?? join(await tempDir(t), 'census.json');
  const clock = options.clock ?? testClock(1000 * DAY);
  const walk = options.walk ?? (() => Promise.reject(new Error('nobody walks')));
  return { census: await openCensus({ path, walk, now: clock.now }), clock, path };
}

function report(entries: readonly Use[], startedAt = 0): WalkReport {
  const histogram = createHistogram();
  for (const entry of entries) histogram.add(entry);
  return { startedAt, rows: histogram.rows(), recent: new Map(), failed: 0, problems: [] };
}

test('what is committed counts as used today', async (t) => {
  const { census } = await scene(t);
  census.noteCommit({ key: 'a', size: 10 });
  census.noteCommit({ key: 'b', size: 5 });
  t.deepEqual(census.totals(), { entries: 2, bytes: 15 });
  t.is(census.cutOff(15), 1000);
});

test('a body that takes the place of another counts instead of it', async (t) => {
  const { census, clock } = await scene(t);
  census.noteCommit({ key: 'a', size: 10 });
  clock.advance(DAY);
  const replaced = { size: 10, lastUse: 1000 * DAY };
  census.noteCommit({ key: 'a', size: 25, replaced });
  t.deepEqual(census.totals(), { entries: 1, bytes: 25 });
  t.is(census.cutOff(1), 1001);
});

test('an entry that is served moves to today, once, however many are served', async (t) => {
  const { census, clock } = await scene(t);
  const lastUse = clock.now();
  census.noteCommit({ key: 'a', size: 10 });
  census.noteCommit({ key: 'b', size: 10 });
  census.noteTouch({ key: 'a', size: 10, lastUse });
  clock.advance(90 * DAY);
  census.noteTouch({ key: 'a', size: 10, lastUse });
  census.noteTouch({ key: 'a', size: 10, lastUse });
  t.deepEqual(census.totals(), { entries: 2, bytes: 20 });
  t.like(census.report().reclaimable[0], { age: '30d', entries: 1, bytes: 10 });
});

test('what is removed or culled does not count any more', async (t) => {
  const { census } = await scene(t);
  const lastUse = 1000 * DAY;
  for (const key of ['a', 'b', 'c']) census.noteCommit({ key, size: 10 });
  census.noteRemoval({ key: 'a', size: 10, lastUse });
  t.deepEqual(census.totals(), { entries: 2, bytes: 20 });
  census.noteCull([[1000, 1, 10]]);
  t.deepEqual(census.totals(), { entries: 1, bytes: 10 });
  // The one that was culled, fetched again: what was known of it is no more.
  census.noteCommit({ key: 'b', size: 10 });
  t.deepEqual(census.totals(), { entries: 2, bytes: 20 });
});

test('a walk corrects the count, and the report says when that was', async (t) => {
  const found = report([
    { size: 7, lastUse: 10 * DAY },
    { size: 8, lastUse: 999 * DAY },
  ]);
  const { census, clock } = await scene(t, { walk: async () => found });
  census.noteCommit({ key: 'a', size: 1_000_000 });
  t.is(census.report().correctedAt, undefined);
  await census.correct();
  t.like(census.report(), { entries: 2, bytes: 15, correctedAt: clock.now() });
});

test('a walk that fails leaves the count as it was', async (t) => {
  const { census } = await scene(t);
  census.noteCommit({ key: 'a', size: 10 });
  await t.throwsAsync(census.correct(), { message: 'nobody walks' });
  census.noteCommit({ key: 'b', size: 10 });
  t.like(census.report(), { entries: 2, bytes: 20, correctedAt: undefined });
});

test('who asks for a correction while one is made shares it', async (t) => {
  const turn = gate();
  let walks = 0;
  const walk = async () => {
    walks += 1;
    await turn.pass();
    return report([]);
  };
  const { census } = await scene(t, { walk });
  const both = Promise.all([census.correct(), census.correct()]);
  turn.open();
  await both;
  t.is(walks, 1);
});

type Event = readonly [kind: 'commit' | 'touch', key: string, size: number, after: number];

const events: fc.Arbitrary<Event[]> = fc.array(
  fc.tuple(
    fc.constantFrom('commit' as const, 'touch' as const),
    fc.constantFrom('a', 'b', 'c', 'd'),
    fc.nat(100),
    fc.constantFrom(0, 1, 30_000, 90_000, 2 * DAY),
  ),
  { maxLength: 14 },
);

test('whatever happens before, while and after a walk looks around, it counts once', async (t) => {
  const looks = fc.record({ a: fc.nat(14), b: fc.nat(14), c: fc.nat(14), d: fc.nat(14) });
  const checked = fc.asyncProperty(
    events,
    looks,
    fc.nat(14),
    fc.nat(14),
    async (all, seen, asks, waits) => {
      const [asked, walked] = [gate(), gate()];
      let found = report([]);
      const walk = async () => {
        asked.open();
        await walked.opened;
        return found;
      };
      const { census, clock } = await scene(t, { walk });
      const truth = new Map<string, Use>();
      const views = new Map<string, Use>();
      let startedAt = clock.now();
      let correcting: Promise<WalkReport> | undefined;
      const happen = ([kind, key, size, after]: Event) => {
        clock.advance(after);
        const before = truth.get(key);
        if (kind === 'commit') census.noteCommit({ key, size, replaced: before });
        else if (before !== undefined) census.noteTouch({ key, ...before });
        else return;
        truth.set(key, {
          size: kind === 'commit' ? size : (before?.size ?? 0),
          lastUse: clock.now(),
        });
      };
      const start = Math.min(asks + waits, all.length);
      for (const [index, event] of [...all.entries(), [all.length, undefined] as const]) {
        if (index === Math.min(asks, all.length)) correcting = census.correct();
        // It waits its turn, and then looks at each key at some time of its own.
        if (index === start) startedAt = clock.now();
        for (const [key, at] of Object.entries(seen)) {
          const use = truth.get(key);
          const now = index === Math.min(Math.max(at, start), all.length);
          if (now && use !== undefined) views.set(key, use);
        }
        if (event !== undefined) happen(event);
        // No two things happen at the same moment.
        clock.advance(1);
      }
      const recent = [...views].filter(([, { lastUse }]) => lastUse >= startedAt - 60_000);
      found = { ...report([...views.values()], startedAt), recent: new Map(recent) };
      walked.open();
      await correcting;
      const counted = createHistogram();
      for (const use of truth.values()) counted.add(use);
      t.deepEqual(census.totals(), counted.totals());
      t.is(census.cutOff(1), counted.cutOff(1));
    },
  );
  await t.notThrowsAsync(fc.assert(checked));
});

test('the count outlives a restart, with the time of its correction', async (t) => {
  const found = report([{ size: 7, lastUse: 10 * DAY }]);
  const { census, clock, path } = await scene(t, { walk: async () => found });
  await census.correct();
  census.noteCommit({ key: 'a', size: 10 });
  await census.save();
  const again = await scene(t, { path, clock });
  t.deepEqual(again.census.report(), census.report());
});

test('it is written only when it changed', async (t) => {
  const { census, path } = await scene(t);
  await census.save();
  await t.throwsAsync(readFile(path), { code: 'ENOENT' });
  census.noteCommit({ key: 'a', size: 10 });
  await census.save();
  await writeFile(path, 'as it was');
  await census.save();
  t.is(await readFile(path, 'utf8'), 'as it was');
});

test('a count that cannot be written is tried again', async (t) => {
  const folder = await tempDir(t);
  await writeFile(join(folder, 'file'), '');
  const { census } = await scene(t, { path: join(folder, 'file/census.json') });
  census.noteCommit({ key: 'a', size: 10 });
  await t.throwsAsync(census.save(), { code: 'ENOTDIR' });
  await t.throwsAsync(census.save(), { code: 'ENOTDIR' });
});

for (const text of [
  '',
  '{',
  '{"format":2,"rows":[]}',
  '{"format":1}',
  '{"format":1,"rows":[[1,2]]}',
  'null',
]) {
  test(`a kept count that reads ${JSON.stringify(text)} starts a new one`, async (t) => {
    const path = join(await tempDir(t), 'census.json');
    await writeFile(path, text);
    const { census } = await scene(t, { path });
    t.like(census.report(), { entries: 0, bytes: 0, correctedAt: undefined });
  });
}
