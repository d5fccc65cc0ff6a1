import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { createLayout } from '../../daemon/cache/layout.ts';
import { createRoom } from '../../daemon/room/room.ts';
import { makeCache } from '../helpers/cache.ts';
import { testClock } from '../helpers/clock.ts';
import { writeTree } from '../helpers/files.ts';
import { mountTmpfs } from '../helpers/mounts.ts';
import { M, refused, roomIn } from '../helpers/room.ts';

function nobody(): Promise<never> {
  return Promise.reject(new Error('nobody culls here'));
}

test('a file is welcome as long as MIN_FREE stays free', async (t) => {
  const { room, root } = await roomIn(t);
  (await room.reserve(900 * M)).release();
  const error = await refused(t, room.reserve(901 * M));
  t.is(error.detail, 'min-free');
  t.is(
    error.message,
    `Cannot reserve "901M": min-free: ${root} has 1.0G left for 901M, and 100M must stay free`,
  );
  t.deepEqual(room.state(), { storing: true });
});

test('MIN_FREE may be a share of the disk, and the smaller of both counts', async (t) => {
  const { room, world } = await roomIn(t, { minFree: { bytes: 900 * M, share: 0.05 } });
  await t.notThrowsAsync(room.reserve(500 * M));
  await refused(t, room.reserve(1));
  world.minFree = { bytes: 0 };
  await t.notThrowsAsync(room.reserve(500 * M));
});

test('what is promised and not yet written is not promised again', async (t) => {
  const { room, world } = await roomIn(t);
  let written = 0;
  const first = await room.reserve(600 * M, () => written);
  t.regex((await refused(t, room.reserve(400 * M))).reason, /less 600M for downloads under way/);
  // What is written is missing from the disk by now: it does not count twice.
  written = 500 * M;
  world.free -= written;
  (await room.reserve(300 * M)).release();
  await refused(t, room.reserve(301 * M));
  first.release();
  first.release();
  await t.notThrowsAsync(room.reserve(400 * M));
  await refused(t, room.reserve(1));
});

test('a file of unknown length is taken for 64M, for as long as it grows', async (t) => {
  const { room, world } = await roomIn(t, { free: 100 * M + 128 * M });
  const [one] = [await room.reserve(undefined, () => 64 * M), await room.reserve(undefined)];
  await refused(t, room.reserve(1));
  one.release();
  await t.notThrowsAsync(room.reserve(undefined));
  world.free = 0;
  await refused(t, room.reserve(undefined));
});

test('an empty file needs no room, and a full disk has none even for that', async (t) => {
  const { room, world } = await roomIn(t, { free: 100 * M });
  await t.notThrowsAsync(room.reserve(0));
  world.free -= 1;
  t.is((await refused(t, room.reserve(0))).detail, 'min-free');
});

test('however many ask at once, no more is promised than there is', async (t) => {
  const wishes = fc.array(fc.nat(400), { maxLength: 20 });
  const checked = fc.asyncProperty(wishes, fc.nat(1500), async (sizes, limit) => {
    const { room } = await roomIn(t, { maxSize: Math.max(limit, 1) * M });
    const asked = sizes.map((size) => room.reserve(size * M).then(() => size));
    const promised = (await Promise.allSettled(asked)).reduce(
      (sum, end) => sum + (end.status === 'fulfilled' ? end.value : 0),
      0,
    );
    t.true(promised <= Math.min(900, Math.max(limit, 1)));
    // One that is refused did not fit, or had no chance before others did.
    const smallest = Math.min(...sizes);
    t.true(sizes.length === 0 || promised > 0 || smallest === 0 || smallest > Math.min(900, limit));
  });
  await t.notThrowsAsync(fc.assert(checked, { numRuns: 40 }));
});

test('while the disk has less than MIN_FREE that is the state, told in one line', async (t) => {
  const { room, world, clock, root, lines } = await roomIn(t, { free: 90 * M });
  await refused(t, room.reserve(1));
  const since = clock.now();
  clock.advance(5000);
  await refused(t, room.reserve(1));
  const reason = `min-free: ${root} has 90.0M left, and 100M must stay free`;
  t.deepEqual(room.state(), { storing: false, detail: 'min-free', reason, since });
  world.free = 200 * M;
  t.deepEqual(await room.check(), { storing: true });
  t.deepEqual(lines, [`not storing: ${reason}`, 'storing again']);
});

test('a disk that failed is not touched until its pause is over, and the next fill tries', async (t) => {
  const { room, clock, lines, looks } = await roomIn(t);
  room.noteFailure(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }));
  const error = await refused(t, room.reserve(1));
  t.is(error.reason, 'storage: ENOSPC: no space left');
  t.is(error.detail, 'storage');
  t.like(await room.check(), { storing: false, detail: 'storage' });
  t.is(looks(), 0);
  clock.advance(10_000);
  await t.notThrowsAsync(room.reserve(1));
  t.is(looks(), 1);
  t.like(room.state(), { storing: false });
  room.noteSuccess();
  t.deepEqual(room.state(), { storing: true });
  t.deepEqual(lines, ['not storing: ENOSPC: no space left', 'storing again']);
});

test('a disk that does not even tell how full it is has failed', async (t) => {
  const { layout, root } = await makeCache(t);
  const clock = testClock();
  const room = createRoom({
    layout,
    census: { totals: () => ({ entries: 0, bytes: 0 }), cutOff: () => 0, correct: nobody },
    cull: nobody,
    limits: () => ({ minFree: {} }),
    changed: () => {},
    clock,
  });
  await rm(root, { recursive: true });
  t.regex((await refused(t, room.reserve(1))).reason, /^storage: ENOENT/);
  await writeTree(layout.partialFolder, { '.keep': '' });
  await refused(t, room.reserve(1));
  clock.advance(10_000);
  await t.notThrowsAsync(room.reserve(1));
});

test('on a small disk of its own: what fits is welcome, and a full disk fails', async (t) => {
  const root = await mountTmpfs(t, { options: 'size=2m' });
  if (root === undefined) return;
  const layout = createLayout(root);
  await writeTree(layout.partialFolder, { '.keep': '' });
  const lines: string[] = [];
  const room = createRoom({
    layout,
    census: { totals: () => ({ entries: 0, bytes: 0 }), cutOff: () => 0, correct: nobody },
    cull: nobody,
    limits: () => ({ minFree: { bytes: M } }),
    changed: (line) => lines.push(line),
    clock: testClock(),
  });
  await t.notThrowsAsync(room.reserve(M / 2));
  const error = await refused(t, room.reserve(M / 2 + 1));
  t.regex(error.reason, /^min-free: .* left, less 512K for downloads under way, for 512K/);
  const overflow = writeFile(join(root, 'file'), Buffer.alloc(3 * M));
  const full = await t.throwsAsync(overflow, { code: 'ENOSPC' });
  room.noteFailure(full);
  t.like(room.state(), { storing: false, detail: 'storage' });
  t.is((await refused(t, room.reserve(1))).detail, 'storage');
  t.regex(lines.join(), /^not storing: ENOSPC: [^,]*, write$/);
});
