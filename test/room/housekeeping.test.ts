import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createLayout } from '../../daemon/cache/layout.ts';
import { CacheError } from '../../daemon/errors.ts';
import { DAY } from '../../daemon/room/histogram.ts';
import { createHousekeeping, type Housekeeping } from '../../daemon/room/housekeeping.ts';
import { type Cache, makeCache } from '../helpers/cache.ts';
import { filesBelow, plant, plantMany } from '../helpers/entries.ts';
import { tempDir, writeTree } from '../helpers/files.ts';
import { gate } from '../helpers/gate.ts';

interface Scene extends Cache {
  readonly housekeeping: Housekeeping;
}

async function scene(t: ExecutionContext): Promise<Scene> {
  const cache = await makeCache(t);
  const housekeeping = createHousekeeping(cache.layout);
  t.teardown(() => housekeeping.close());
  await plant(cache.root, {
    'a/old': { size: 10, days: 100 },
    'a/older': { size: 20, days: 200 },
    'b/new': { size: 40, days: 1 },
  });
  return { ...cache, housekeeping };
}

const usedBefore = Date.now() - 50 * DAY;

test('a walk counts what is stored, and names what was used just now', async (t) => {
  const { housekeeping, put } = await scene(t);
  await put('c/just-now', '123');
  const report = await housekeeping.walk();
  t.deepEqual(
    report.rows.map(([, entries, bytes]) => [entries, bytes]),
    [
      [1, 20],
      [1, 10],
      [1, 40],
      [1, 3],
    ],
  );
  t.deepEqual([...report.recent.keys()], ['c/just-now']);
  t.is(report.recent.get('c/just-now')?.size, 3);
  t.like(report, { failed: 0, problems: [] });
});

test('a cull removes in its thread, and tells how far it is', async (t) => {
  const { housekeeping, root } = await scene(t);
  const keys: string[] = [];
  const summary = await housekeeping.cull(
    { usedBefore, list: true, matching: /^a\// },
    { onProgress: ({ culled }) => keys.push(...culled.map(({ key }) => key)) },
  );
  t.like(summary, { entries: 2, bytes: 30, cancelled: false });
  t.deepEqual(keys, ['a/older', 'a/old']);
  t.deepEqual(await filesBelow(root), ['b/new']);
});

test('jobs that are asked for together are done one after another', async (t) => {
  const { housekeeping } = await scene(t);
  const [before, culled, after] = await Promise.all([
    housekeeping.walk(),
    housekeeping.cull({ usedBefore }),
    housekeeping.walk(),
  ]);
  t.deepEqual([before.rows.length, culled.entries, after.rows.length], [3, 2, 1]);
});

test('a job that fails says why, and the next one is done', async (t) => {
  const root = join(await tempDir(t), 'missing');
  const housekeeping = createHousekeeping(createLayout(root));
  const walk = await t.throwsAsync(housekeeping.walk(), { instanceOf: CacheError });
  t.is(walk.code, 'storage');
  t.regex(walk.message, /^Cannot walk ".*missing": ENOENT/);
  await writeTree(root, { file: '' });
  t.is((await housekeeping.walk()).rows.length, 1);
});

test('a cull is called off while it runs, and tells what went', async (t) => {
  const { housekeeping, root } = await scene(t);
  plantMany(root, 2000);
  const calledOff = new AbortController();
  const onProgress = () => calledOff.abort();
  const watch = { onProgress, signal: calledOff.signal };
  const summary = await housekeeping.cull({ downTo: -1 }, watch);
  t.is(summary.entries, 2003 - (await filesBelow(root)).length);
  t.true(summary.entries >= 1);
});

test('a cull that is called off before its turn removes nothing', async (t) => {
  const { housekeeping, root } = await scene(t);
  const signal = AbortSignal.abort();
  const error = await t.throwsAsync(housekeeping.cull({ downTo: 0 }, { signal }), {
    instanceOf: CacheError,
  });
  t.is(error.code, 'cancelled');
  t.is((await filesBelow(root)).length, 3);
});

test('closing breaks off the job under way and those that wait, and takes no more', async (t) => {
  const { housekeeping, root } = await scene(t);
  plantMany(root, 2000);
  const progress = gate();
  const cull = housekeeping.cull({ downTo: -1 }, { onProgress: progress.open });
  const ends = Promise.allSettled([cull, housekeeping.walk()]);
  await progress.opened;
  await housekeeping.close();
  const [culled, walked] = await ends;
  // The thread may have been quicker; then there was nothing to break off.
  if (culled.status === 'rejected') t.is(culled.reason.code, 'cancelled');
  t.true(walked.status === 'rejected' && walked.reason.code === 'cancelled');
  await t.throwsAsync(housekeeping.walk(), { instanceOf: CacheError, message: /was called off/ });
});
