import test from 'ava';
import { CacheError } from '../../daemon/errors.ts';
import { createHousekeeping } from '../../daemon/room/housekeeping.ts';
import { type ListedEntry, type ListOrder, list } from '../../daemon/room/list.ts';
import { makeCache } from '../helpers/cache.ts';
import { cacheWith, culled, four } from '../helpers/cull.ts';
import { filesBelow, plantMany } from '../helpers/entries.ts';
import { gate } from '../helpers/gate.ts';

const plain: ListOrder = {
  sort: 'path',
  rules: { immutable: [], mutable: [] },
  repositories: [],
};

function listed(root: string, order: Partial<ListOrder> = {}, cancelled = () => false) {
  const found: ListedEntry[] = [];
  const rows = (some: readonly ListedEntry[]) => found.push(...some);
  const summary = list({ root, order: { ...plain, ...order }, cancelled, rows });
  return { summary, keys: found.map(({ key }) => key), found };
}

test('a list goes by directory, by size with the largest first, or by last use', async (t) => {
  const { root } = await cacheWith(t, four);
  t.deepEqual(listed(root).keys, ['a/old', 'a/older', 'b/new', 'c/d/oldest']);
  t.deepEqual(listed(root, { sort: 'size' }).keys, ['c/d/oldest', 'b/new', 'a/older', 'a/old']);
  t.deepEqual(listed(root, { sort: 'used' }).keys, ['c/d/oldest', 'a/older', 'a/old', 'b/new']);
  t.like(listed(root).summary, { entries: 4, bytes: 150, failed: 0, cancelled: false });
});

test('only what matches is listed and counted', async (t) => {
  const { root } = await cacheWith(t, four);
  const { keys, summary } = listed(root, { matching: /^a\// });
  t.deepEqual(keys, ['a/old', 'a/older']);
  t.like(summary, { entries: 2, bytes: 30 });
});

test('whether a name may change is decided below the root of its repository', async (t) => {
  const one = { size: 1, days: 1 };
  const { root } = await cacheWith(t, { 'arch/moving/x': one, 'moving/x': one, 'arch/x': one });
  const rules = { immutable: ['**'], mutable: [] };
  t.true(listed(root, { rules }).found.every(({ mutable }) => !mutable));
  const order = {
    rules: { immutable: ['moving/*', '*'], mutable: ['**'] },
    repositories: ['arch'],
  };
  t.deepEqual(
    listed(root, order).found.map(({ key, mutable }) => [key, mutable]),
    [
      ['arch/x', false],
      ['arch/moving/x', false],
      ['moving/x', false],
    ],
  );
  const elsewhere = listed(root, { ...order, repositories: [] }).found;
  t.true(elsewhere.find(({ key }) => key === 'arch/x')?.mutable);
});

test('a list that is called off ends early', async (t) => {
  const { root } = await cacheWith(t, four);
  const { keys, summary } = listed(root, {}, () => true);
  t.deepEqual(keys, []);
  t.true(summary.cancelled);
});

test('a purge takes what was used just now, and only what matches', async (t) => {
  const { root, put } = await cacheWith(t, four);
  await put('a/just-now', 'x');
  // Whatever the clock says: last use does not matter.
  t.like(culled(root, { purge: true, matching: /^a\// }, { now: 0 }), { entries: 3, bytes: 31 });
  t.deepEqual(await filesBelow(root), ['b/new', 'c/d/oldest']);
});

test('rows that nobody takes make the list wait, and nobody waits for it', async (t) => {
  const { layout, root } = await makeCache(t);
  plantMany(root, 12_000);
  const housekeeping = createHousekeeping(layout);
  t.teardown(() => housekeeping.close());
  const held = gate();
  let pieces = 0;
  const stuck = housekeeping.list(plain, {
    onRows: () => {
      pieces += 1;
      return held.pass();
    },
  });
  await held.reached;
  let whole = 0;
  const other = await housekeeping.list(plain, { onRows: (rows) => (whole += rows.length) });
  t.is((await housekeeping.walk()).rows.length, 1);
  t.deepEqual([other.entries, whole], [12_000, 12_000]);
  t.true(pieces <= 4);
  held.open();
  t.is((await stuck).entries, 12_000);
  t.is(pieces, 12);
});

test('a list that waits is called off at once', async (t) => {
  const { layout, root } = await makeCache(t);
  plantMany(root, 12_000);
  const housekeeping = createHousekeeping(layout);
  t.teardown(() => housekeeping.close());
  const [never, stop] = [gate(), new AbortController()];
  const stuck = housekeeping.list(plain, { onRows: () => never.pass(), signal: stop.signal });
  await never.reached;
  stop.abort();
  t.true((await stuck).cancelled);
});

test('no more than four look through the cache at once', async (t) => {
  const { layout, root } = await makeCache(t);
  plantMany(root, 10);
  const housekeeping = createHousekeeping(layout);
  const never = gate();
  const looks = Array.from({ length: 4 }, () =>
    housekeeping.list(plain, { onRows: () => never.pass() }),
  );
  const fifth = housekeeping.cull({ downTo: 0, dryRun: true });
  t.is((await t.throwsAsync(fifth, { instanceOf: CacheError }))?.code, 'busy');
  const ended = Promise.allSettled(looks);
  await housekeeping.close();
  await ended;
});
