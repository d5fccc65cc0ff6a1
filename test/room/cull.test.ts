import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { createMetaBook } from '../../daemon/cache/meta.ts';
import { globPattern } from '../../daemon/cache/policy.ts';
import type { CullProgress } from '../../daemon/room/cull.ts';
import { createHistogram, DAY, dayOf } from '../../daemon/room/histogram.ts';
import { cacheWith, culled, daysAgo, four } from '../helpers/cull.ts';
import { filesBelow, plant, plantMany, setAge } from '../helpers/entries.ts';
import { tempDir } from '../helpers/files.ts';

test('what nobody used for so long goes, and the rest stays', async (t) => {
  const { root } = await cacheWith(t, four);
  const summary = culled(root, { usedBefore: daysAgo(150) });
  t.like(summary, { entries: 2, bytes: 100, kept: 0, failed: 0, problems: [], cancelled: false });
  t.deepEqual(await filesBelow(root), ['a/old', 'b/new']);
});

test('down to a size the least recently used go first, and no more than it takes', async (t) => {
  const { root } = await cacheWith(t, four);
  t.like(culled(root, { downTo: 150 }), { entries: 0 });
  t.like(culled(root, { downTo: 149 }), { entries: 1, bytes: 80 });
  t.deepEqual(await filesBelow(root), ['a/old', 'a/older', 'b/new']);
  t.like(culled(root, { downTo: 41 }), { entries: 2, bytes: 30 });
  t.deepEqual(await filesBelow(root), ['b/new']);
  t.like(culled(root, { downTo: 0 }), { entries: 1, bytes: 40 });
  t.deepEqual(await filesBelow(root), []);
});

test('with an age and a size goes what either asks for, and with neither nothing', async (t) => {
  const { root } = await cacheWith(t, four);
  t.like(culled(root, {}), { entries: 0, cancelled: false });
  t.like(culled(root, { usedBefore: daysAgo(250), downTo: 1000 }), { entries: 1, bytes: 80 });
  t.like(culled(root, { usedBefore: daysAgo(250), downTo: 45 }), { entries: 2, bytes: 30 });
  t.deepEqual(await filesBelow(root), ['b/new']);
});

test('whatever is stored and whatever the census guesses, the oldest go down to the size', async (t) => {
  const entry = fc.record({ size: fc.nat(50), days: fc.integer({ min: 0, max: 20 }) });
  const guess = fc.oneof(fc.constant(undefined), fc.integer({ min: -1, max: 21 }));
  const checked = fc.asyncProperty(
    fc.array(entry, { maxLength: 12 }),
    fc.nat(400),
    guess,
    async (all, downTo, days) => {
      const root = await tempDir(t);
      // A second apart, so that there is an order among those of one day.
      const apart = all.map(({ size, days: age }, index) => ({ size, days: age + index / 86_400 }));
      await plant(root, Object.fromEntries(apart.map((one, index) => [`f${index}`, one])));
      const cutOff = days === undefined ? {} : { cutOff: dayOf(daysAgo(days)) };
      culled(root, { downTo, ...cutOff });
      const oldestFirst = [...apart.entries()].sort(([, a], [, b]) => b.days - a.days);
      let bytes = apart.reduce((sum, { size }) => sum + size, 0);
      const kept: string[] = [];
      for (const [index, { size }] of oldestFirst) {
        if (bytes > downTo) bytes -= size;
        else kept.push(`f${index}`);
      }
      t.deepEqual(await filesBelow(root), kept.toSorted());
    },
  );
  await t.notThrowsAsync(fc.assert(checked, { numRuns: 60 }));
});

test('a glob says what is looked at: counted in the size, and removed', async (t) => {
  const { root } = await cacheWith(t, four);
  const matching = globPattern('a/**');
  t.like(culled(root, { downTo: 30, matching }), { entries: 0 });
  t.like(culled(root, { downTo: 29, matching }), { entries: 1, bytes: 20 });
  t.like(culled(root, { usedBefore: Date.now(), matching }), { entries: 1, bytes: 10 });
  t.deepEqual(await filesBelow(root), ['b/new', 'c/d/oldest']);
});

test('a dry run tells what would go and touches nothing', async (t) => {
  const { root } = await cacheWith(t, four);
  const before = await Promise.all((await filesBelow(root)).map((key) => stat(join(root, key))));
  const rows: string[] = [];
  const order = { usedBefore: daysAgo(50), list: true };
  const progress = ({ culled: some }: CullProgress) => rows.push(...some.map(({ key }) => key));
  const dry = culled(root, { ...order, dryRun: true }, { progress });
  t.deepEqual(rows, ['c/d/oldest', 'a/older', 'a/old']);
  t.deepEqual(dry.removed, []);
  const after = await Promise.all((await filesBelow(root)).map((key) => stat(join(root, key))));
  t.deepEqual(
    after.map(({ atimeMs, ctimeMs }) => [atimeMs, ctimeMs]),
    before.map(({ atimeMs, ctimeMs }) => [atimeMs, ctimeMs]),
  );
  const real = culled(root, order);
  t.deepEqual({ ...real, removed: [] }, dry);
});

test('what went is told by day of last use', async (t) => {
  const { root } = await cacheWith(t, four);
  const counted = createHistogram();
  for (const { size, days } of [four['a/older'], four['c/d/oldest']]) {
    counted.add({ size, lastUse: daysAgo(days) });
  }
  t.deepEqual(culled(root, { usedBefore: daysAgo(150) }).removed, counted.rows());
});

test('the record of a mutable entry goes with it, and no other', async (t) => {
  const cache = await cacheWith(t, {});
  const { layout, root, put } = cache;
  const meta = createMetaBook(layout);
  const record = { source: 'http://source/', checked: 1, fetched: 1 };
  for (const key of ['a/InRelease', 'a/Packages']) {
    await meta.write({ ...(await put(key, key)), key }, record);
  }
  await setAge(join(root, 'a/InRelease'), 100);
  t.like(culled(root, { usedBefore: daysAgo(50), dryRun: true }), { entries: 1 });
  t.is((await stat(layout.meta('a/InRelease'))).isFile(), true);
  t.like(culled(root, { usedBefore: daysAgo(50) }), { entries: 1 });
  await t.throwsAsync(stat(layout.meta('a/InRelease')), { code: 'ENOENT' });
  t.is((await stat(layout.meta('a/Packages'))).isFile(), true);
});

test('a document that is a directory too is culled under its key', async (t) => {
  const { root } = await cacheWith(t, {
    'a/.package-cache-self': { size: 1, days: 100 },
    'a/b': { size: 1, days: 1 },
  });
  culled(root, { usedBefore: daysAgo(50), matching: globPattern('a') });
  t.deepEqual(await filesBelow(root), ['a/b']);
});

test('names that are not UTF-8 are culled too, with their directories', async (t) => {
  const { root } = await cacheWith(t, {});
  const folder = Buffer.concat([Buffer.from(`${root}/f`), Buffer.from([0xe9])]);
  const file = Buffer.concat([folder, Buffer.from([0x2f, 0xff])]);
  await mkdir(folder);
  await writeFile(file, 'abc');
  await setAge(file, 100);
  t.like(culled(root, { usedBefore: daysAgo(50) }), { entries: 1, bytes: 3, failed: 0 });
  t.deepEqual(await readdir(root), ['.package-cache']);
});

test('progress comes in batches that add up, with rows only when asked for', async (t) => {
  const { root } = await cacheWith(t, {});
  plantMany(root, 2500);
  const order = { usedBefore: Date.now() + DAY, dryRun: true };
  const told: CullProgress[] = [];
  const progress = (one: CullProgress) => told.push(one);
  const summary = culled(root, { ...order, list: true }, { progress });
  t.deepEqual([summary.entries, summary.bytes], [2500, 0]);
  t.true(told.length >= 3 && told.every((one) => one.culled.length <= 1000));
  t.is(new Set(told.flatMap((one) => one.culled.map(({ key }) => key))).size, 2500);
  t.like(told.at(-1), { entries: 2500, bytes: 0 });
  told.length = 0;
  culled(root, order, { progress });
  t.true(told.length >= 3 && told.every((one) => one.culled.length === 0));
});
