import { existsSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { CacheError } from '../../daemon/errors.ts';
import { type Budget, type BudgetLimits, openBudget } from '../../daemon/room/budget.ts';
import { createHistogram, DAY } from '../../daemon/room/histogram.ts';
import { type Cache, makeCache } from '../helpers/cache.ts';
import { type TestClock, testClock } from '../helpers/clock.ts';
import { filesBelow, plant } from '../helpers/entries.ts';
import { Log } from '../helpers/log.ts';

const M = 1024 ** 2;
const minute = 60_000;

interface Scene extends Cache {
  readonly clock: TestClock;
  readonly log: Log;
  open(limits?: Partial<BudgetLimits>): Promise<Budget>;
}

async function scene(t: ExecutionContext): Promise<Scene> {
  const cache = await makeCache(t);
  const clock = testClock();
  const log = new Log();
  const say = (level: string) => (line: string) => log.add(`${level}: ${line}`);
  const open = async (limits: Partial<BudgetLimits> = {}) => {
    const budget = await openBudget({
      layout: cache.layout,
      limits: { minFree: { bytes: 0 }, ...limits },
      log: {
        error: say('error'),
        warn: say('warn'),
        info: say('info'),
        debug: say('debug'),
        access: () => {},
        configure: async () => {},
        setLevel: () => {},
        close: async () => {},
      },
      clock,
    });
    t.teardown(() => budget.close());
    return budget;
  };
  await plant(cache.root, {
    'a/old': { size: M, days: 100 },
    'a/older': { size: 2 * M, days: 200 },
    'b/new': { size: 4 * M, days: 1 },
  });
  return { ...cache, clock, log, open };
}

test('some seconds after the start everything is counted, and then once a day', async (t) => {
  const { clock, log, open, root } = await scene(t);
  const { census } = await open();
  t.is(census.report().correctedAt, undefined);
  clock.advance(10_000);
  t.is(await log.find(/counted/), 'debug: counted 3 files (7.0M)');
  t.like(census.report(), { entries: 3, bytes: 7 * M, correctedAt: clock.now() });
  await plant(root, { 'c/by-hand': { size: M, days: 3 } });
  t.is(census.totals().entries, 3);
  await untilPlanned(clock, 3);
  clock.advance(DAY);
  await log.find(/counted 4 files \(8.0M\)/);
});

test('a count that fails is told, and made the next day', async (t) => {
  const { clock, log, open, root } = await scene(t);
  await open();
  await rename(root, `${root}-away`);
  clock.advance(10_000);
  t.regex(await log.find(/walk/), /^warn: Cannot walk "\S+": ENOENT/);
  await rename(`${root}-away`, root);
  await untilPlanned(clock, 3);
  clock.advance(DAY);
  await log.find(/counted 3 files/);
});

test('CULL_OLDER_THAN is carried out an hour after the start, in one line of the log', async (t) => {
  const { clock, log, open, root } = await scene(t);
  const { census } = await open({ cullOlderThan: 150 * DAY });
  await census.correct();
  clock.advance(60 * minute - 1);
  t.is((await filesBelow(root)).length, 3);
  clock.advance(1);
  t.is(await log.find(/culled/), 'info: culled 1 file (2.0M) not used for 150d');
  t.deepEqual(await filesBelow(root), ['a/old', 'b/new']);
  t.deepEqual(census.totals(), { entries: 2, bytes: 5 * M });
});

test('a day later it is carried out again, with what is configured by then', async (t) => {
  const { clock, log, open, root } = await scene(t);
  const budget = await open();
  clock.advance(60 * minute);
  t.deepEqual(log.lines(), []);
  budget.configure({ minFree: { bytes: 0 }, cullOlderThan: 50 * DAY });
  await untilPlanned(clock, 2);
  clock.advance(DAY);
  t.is(await log.find(/culled/), 'info: culled 2 files (3.0M) not used for 50d');
  t.deepEqual(await filesBelow(root), ['b/new']);
});

test('MAX_SIZE is kept by culling what was not used for the longest time', async (t) => {
  const { log, open, root } = await scene(t);
  const { census, room } = await open({ maxSize: 8 * M });
  await census.correct();
  const reservation = await room.reserve(2 * M);
  t.is(await log.find(/culled/), 'info: culled 1 file (2.0M) for MAX_SIZE');
  t.deepEqual(await filesBelow(root), ['a/old', 'b/new']);
  reservation.release();
});

test('with MAX_SIZE and no count of an earlier run everything is counted at once', async (t) => {
  const { clock, log, open, root } = await scene(t);
  const { census } = await open({ maxSize: 5 * M });
  clock.advance(0);
  t.is(await log.find(/culled/), 'info: culled 2 files (3.0M) for MAX_SIZE');
  t.deepEqual(await filesBelow(root), ['b/new']);
  t.deepEqual(census.totals(), { entries: 1, bytes: 4 * M });
});

test('a smaller MAX_SIZE is obeyed at the reload', async (t) => {
  const { log, open, root } = await scene(t);
  const budget = await open({ maxSize: 8 * M });
  await budget.census.correct();
  budget.configure({ minFree: { bytes: 0 }, maxSize: 5 * M });
  await log.find(/culled 2 files/);
  t.deepEqual(await filesBelow(root), ['b/new']);
});

test('after a restart MAX_SIZE is kept without counting first', async (t) => {
  const { log, open, root } = await scene(t);
  const first = await open();
  await first.census.correct();
  await first.close();
  const second = await open({ maxSize: 8 * M });
  t.deepEqual(second.census.totals(), { entries: 3, bytes: 7 * M });
  await second.room.reserve(2 * M);
  await log.find(/culled 1 file/);
  t.deepEqual(await filesBelow(root), ['a/old', 'b/new']);
});

test('somebody culls by hand: with a glob, watched, and the census is told', async (t) => {
  const { open, root } = await scene(t);
  const { census, cull } = await open();
  await census.correct();
  const rows: string[] = [];
  const onProgress = ({ culled }: { culled: readonly { key: string }[] }) =>
    rows.push(...culled.map(({ key }) => key));
  const order = { usedBefore: Date.now(), glob: '{a,c}/*', list: true };
  t.like(await cull({ ...order, dryRun: true }), { entries: 2 });
  t.is(census.totals().entries, 3);
  t.like(await cull(order, { onProgress }), { entries: 2, bytes: 3 * M });
  t.deepEqual(rows, ['a/older', 'a/old']);
  t.deepEqual(census.totals(), { entries: 1, bytes: 4 * M });
  t.deepEqual(await filesBelow(root), ['b/new']);
});

test('a glob that cannot be read culls nothing', async (t) => {
  const { open, root } = await scene(t);
  const { cull } = await open();
  const culled = async () => cull({ downTo: 0, glob: 'a/[' });
  const error = await t.throwsAsync(culled, { instanceOf: CacheError });
  t.regex(error.message, /^Cannot parse glob "a\/\[":/);
  t.is((await filesBelow(root)).length, 3);
});

test('the count is kept for the next start, every few minutes and at the end', async (t) => {
  const { clock, layout, open } = await scene(t);
  const { census, close } = await open();
  await census.correct();
  clock.advance(5 * minute);
  while (!existsSync(layout.census)) await setImmediate();
  census.noteCommit({ key: 'd', size: M });
  await close();
  const { rows } = JSON.parse(await readFile(layout.census, 'utf8'));
  t.is(createHistogram(rows).totals().entries, 4);
});

test('a disk that is too full at the start is told', async (t) => {
  const { log, open } = await scene(t);
  await open({ minFree: { bytes: Number.MAX_SAFE_INTEGER } });
  t.regex(log.lines().join(), /^warn: not storing: min-free: \S+ has \S+ left, and \S+ must/);
});

test('closing breaks off what is under way without a word, and plans nothing more', async (t) => {
  const { clock, log, open } = await scene(t);
  const budget = await open({ cullOlderThan: 50 * DAY });
  clock.advance(60 * minute);
  await budget.close();
  t.deepEqual(log.lines(), []);
  t.is(clock.pending(), 0);
});

// A job is planned anew when the promise of its last time is settled.
async function untilPlanned(clock: TestClock, jobs: number): Promise<void> {
  while (clock.pending() < jobs) await setImmediate();
}
