import { chmodSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { CacheError } from '../../daemon/errors.ts';
import { type CullSummary, MADE } from '../../daemon/room/cull.ts';
import { cacheWith, culled, daysAgo, four } from '../helpers/cull.ts';
import { filesBelow, setAge } from '../helpers/entries.ts';
import { root as checkout, run } from '../helpers/process.ts';

test('an entry that is served or replaced while others are culled stays', async (t) => {
  const { root } = await cacheWith(t, {
    first: { size: 1, days: 400 },
    served: { size: 2, days: 300 },
    replaced: { size: 4, days: 200 },
    next: { size: 8, days: 100 },
  });
  const asked: number[] = [];
  const cancelled = () => {
    // Asked before the first removal: the others were looked at already.
    if (asked.push(1) > 1) return false;
    utimesSync(join(root, 'served'), Date.now() / 1000, 1);
    writeFileSync(join(root, 'replaced'), 'another body');
    utimesSync(join(root, 'replaced'), 1, 1);
    return false;
  };
  const summary = culled(root, { downTo: 0 }, { cancelled });
  t.like(summary, { entries: 2, bytes: 9, kept: 2, failed: 0 });
  t.deepEqual(await filesBelow(root), ['replaced', 'served']);
});

test('when an entry stays, culling goes on to the size with the next ones', async (t) => {
  const { root } = await cacheWith(t, {
    served: { size: 10, days: 50.2 },
    second: { size: 10, days: 50.1 },
    third: { size: 10, days: 50 },
  });
  const cancelled = () => {
    utimesSync(join(root, 'served'), Date.now() / 1000, 1);
    return false;
  };
  t.like(culled(root, { downTo: 20 }, { cancelled }), { entries: 1, kept: 1 });
  t.deepEqual(await filesBelow(root), ['served', 'third']);
});

test('what somebody else removed in the meantime is no trouble', async (t) => {
  const { root } = await cacheWith(t, four);
  const cancelled = () => {
    rmSync(join(root, 'c'), { recursive: true, force: true });
    return false;
  };
  const summary = culled(root, { downTo: 60 }, { cancelled });
  t.like(summary, { entries: 1, bytes: 20, kept: 0, failed: 0 });
  t.deepEqual(await filesBelow(root), ['a/old', 'b/new']);
});

test('directories left empty go, up to CACHE_DIR and not with it', async (t) => {
  const { root } = await cacheWith(t, { ...four, 'c/e/f/old': { size: 1, days: 400 } });
  await mkdir(join(root, 'c/was-empty'));
  culled(root, { usedBefore: daysAgo(150) });
  t.deepEqual((await readdir(root)).toSorted(), ['.package-cache', 'a', 'b', 'c']);
  t.deepEqual(await readdir(join(root, 'c')), ['was-empty']);
  culled(root, { downTo: 0 });
  t.deepEqual((await readdir(root)).toSorted(), ['.package-cache', 'c']);
});

test("the cache's own files stay, however old: partials above all", async (t) => {
  const { root, layout } = await cacheWith(t, four);
  const partial = layout.partial('a/old');
  await writeFile(partial, 'half');
  await setAge(partial, 1000);
  culled(root, { downTo: 0 });
  t.is((await stat(partial)).size, 4);
  t.is((await stat(layout.metaFolder)).isDirectory(), true);
});

test('a clock before this program was made culls nothing, and says so', async (t) => {
  const { root } = await cacheWith(t, four);
  for (const order of [{ usedBefore: Date.now() }, { downTo: 0 }, { downTo: 0, dryRun: true }]) {
    const error = t.throws(() => culled(root, order, { now: 0 }), { instanceOf: CacheError });
    t.is(error.code, 'storage');
    t.is(
      error.message,
      `Cannot cull "${root}": the clock says 1970-01-01, which is before this program was made (2026-11-01); set it first`,
    );
  }
  t.is((await filesBelow(root)).length, 4);
  t.true(MADE < Date.now());
});

test('called off, a cull ends before the next removal and tells what went', async (t) => {
  const { root } = await cacheWith(t, four);
  let asked = 0;
  const cancelled = () => {
    asked += 1;
    return asked > 2;
  };
  const summary = culled(root, { downTo: 0 }, { cancelled });
  t.like(summary, { entries: 2, bytes: 100, cancelled: true });
  t.deepEqual(await filesBelow(root), ['a/old', 'b/new']);
  t.deepEqual((await readdir(root)).toSorted(), ['.package-cache', 'a', 'b']);
});

test('what cannot be removed is told and passed over, and the rest goes', async (t) => {
  const { root } = await cacheWith(t, four);
  for (const path of ['b', 'c', 'c/d']) chmodSync(join(root, path), 0o777);
  for (const path of ['', 'a']) chmodSync(join(root, path), 0o755);
  if (process.getuid?.() !== 0) chmodSync(join(root, 'a'), 0o555);
  t.teardown(() => chmodSync(join(root, 'a'), 0o755));
  const program = `
    const { cull } = await import(${JSON.stringify(join(checkout, 'daemon/room/cull.ts'))});
    const layout = { root: ${JSON.stringify(root)}, meta: (key) => '/nowhere/' + key };
    const world = { now: Date.now(), cancelled: () => false, progress: () => {} };
    console.log(JSON.stringify(cull({ layout, order: { downTo: 0 }, ...world })));
  `;
  const args = ['--input-type=module', '--eval', program];
  const user = process.getuid?.() === 0 ? { user: 'nobody' } : {};
  const { stdout, stderr } = await run(process.execPath, { args, ...user });
  t.is(stderr, '');
  const summary: CullSummary = JSON.parse(stdout);
  t.like(summary, { entries: 2, bytes: 120, failed: 2, kept: 0 });
  t.deepEqual(
    summary.problems.map(({ path }) => path),
    [join(root, 'a/older'), join(root, 'a/old')],
  );
  t.regex(summary.problems[0]?.reason ?? '', /EACCES/);
  t.deepEqual(await filesBelow(root), ['a/old', 'a/older']);
});
