import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { gate } from '../helpers/gate.ts';
import { M, refused, roomIn } from '../helpers/room.ts';

test('a file larger than MAX_SIZE is not stored, and nothing is culled for it', async (t) => {
  const { room, orders } = await roomIn(t, { maxSize: 500 * M, entries: 400 * M });
  const error = await refused(t, room.reserve(501 * M));
  t.is(error.detail, 'max-size');
  t.is(error.reason, 'max-size: 501M is more than 500M in all');
  t.deepEqual(orders, []);
});

test('up to MAX_SIZE nothing is culled', async (t) => {
  const { room, orders } = await roomIn(t, { maxSize: 500 * M, entries: 400 * M });
  await room.reserve(94 * M);
  t.deepEqual(orders, []);
});

test('beyond MAX_SIZE entries go first, a bit more than it takes, from the day the census says', async (t) => {
  const { room, orders } = await roomIn(t, { maxSize: 500 * M, entries: 450 * M });
  await room.reserve(100 * M);
  // 98 % of MAX_SIZE, less the file.
  t.deepEqual(orders, [{ downTo: 390 * M, cutOff: 60 * M }]);
});

test('what is promised and what lies in partials counts in MAX_SIZE', async (t) => {
  const { room, root, orders } = await roomIn(t, { maxSize: 500 * M, entries: 300 * M });
  await writeFile(join(root, '.package-cache/partial/1'), Buffer.alloc(20 * M));
  await room.reserve(120 * M, () => 20 * M);
  await room.reserve(70 * M);
  t.deepEqual(orders, []);
  await room.reserve(20 * M);
  t.like(orders, [{ downTo: 280 * M }]);
  t.is(
    (await refused(t, room.reserve(350 * M))).reason,
    'max-size: 350M beside the 210M of downloads is more than 500M in all',
  );
  t.is(orders.length, 1);
});

test('a fill waits for the culling that makes its room', async (t) => {
  const cull = gate();
  const { room, world } = await roomIn(t, { maxSize: 500 * M, entries: 450 * M });
  world.cull = async ({ downTo = 0 }) => {
    await cull.pass();
    world.entries = downTo;
  };
  let reserved = false;
  const reservation = room.reserve(100 * M).then(() => {
    reserved = true;
  });
  await cull.reached;
  t.false(reserved);
  cull.open();
  await reservation;
});

test('a fill that leaves little of MAX_SIZE does not wait: culling goes on ahead of the next', async (t) => {
  const cull = gate();
  const { room, world, orders } = await roomIn(t, { maxSize: 500 * M, entries: 450 * M });
  world.cull = async ({ downTo = 0 }) => {
    await cull.pass();
    world.entries = downTo;
  };
  await room.reserve(48 * M);
  await cull.reached;
  t.deepEqual(orders, [{ downTo: 442 * M, cutOff: 8 * M }]);
  cull.open();
});

test('several that wait share one culling that makes room for all of them', async (t) => {
  const cull = gate();
  const { room, world, orders } = await roomIn(t, { maxSize: 500 * M, entries: 500 * M });
  world.cull = async ({ downTo = 0 }) => {
    await cull.pass();
    world.entries = downTo;
  };
  const all = [room.reserve(10 * M), room.reserve(20 * M), room.reserve(30 * M)];
  await cull.reached;
  cull.open();
  await Promise.all(all);
  t.deepEqual(orders, [{ downTo: 430 * M, cutOff: 70 * M }]);
});

test('a fill does not wait for ever', async (t) => {
  const cull = gate();
  const { room, world, clock, orders } = await roomIn(t, { maxSize: 500 * M, entries: 500 * M });
  world.cull = () => cull.pass();
  const reservation = refused(t, room.reserve(10 * M));
  await cull.reached;
  clock.advance(5000);
  const error = await reservation;
  t.is(error.reason, 'max-size: nothing was culled in time');
  t.is(clock.pending(), 0);
  // The culling goes on, and whoever comes now waits for that one.
  const next = room.reserve(10 * M);
  world.entries = 400 * M;
  cull.open();
  await next;
  t.is(orders.length, 1);
});

test('culling that finds nothing to remove is not tried again for every file', async (t) => {
  const { room, world, clock, orders } = await roomIn(t, { maxSize: 500 * M, entries: 500 * M });
  world.cull = async () => {};
  t.is((await refused(t, room.reserve(10 * M))).detail, 'max-size');
  await refused(t, room.reserve(10 * M));
  t.is(orders.length, 2);
  clock.advance(600_000);
  await refused(t, room.reserve(10 * M));
  t.is(orders.length, 3);
});

test('culling that removes less than is stored meanwhile is not in vain: it goes on', async (t) => {
  const { room, world, orders } = await roomIn(t, { maxSize: 500 * M, entries: 500 * M });
  const { cull } = world;
  world.culled = 1;
  world.cull = async () => {
    world.entries += 5 * M;
    world.cull = cull;
  };
  await t.notThrowsAsync(room.reserve(10 * M));
  t.is(orders.length, 2);
});

test('culling that was not needed when it looked, and is by now, goes on', async (t) => {
  const { room, world, orders } = await roomIn(t, { maxSize: 500 * M, entries: 600 * M });
  const { cull } = world;
  world.counted = 495 * M;
  world.cull = async () => {
    world.cull = cull;
  };
  await t.notThrowsAsync(room.reserve(10 * M));
  t.is(orders.length, 2);
});

test('when there was nothing to remove because the census was wrong, it is corrected', async (t) => {
  const { room, world, orders } = await roomIn(t, {
    maxSize: 500 * M,
    entries: 500 * M,
    counted: 100 * M,
  });
  world.cull = async () => {};
  await t.notThrowsAsync(room.reserve(10 * M));
  t.is(orders.length, 1);
});

test('culling that fails leaves no room, and is tried again later', async (t) => {
  const { room, world, clock } = await roomIn(t, { maxSize: 500 * M, entries: 500 * M });
  const { cull } = world;
  world.cull = () => Promise.reject(new Error('the clock is wrong'));
  await refused(t, room.reserve(10 * M));
  world.cull = cull;
  await refused(t, room.reserve(10 * M));
  clock.advance(600_000);
  await t.notThrowsAsync(room.reserve(10 * M));
});

test('nothing is culled for a file that MIN_FREE would refuse all the same', async (t) => {
  const { room, orders } = await roomIn(t, { free: 109 * M, maxSize: 500 * M, entries: 490 * M });
  // For 50M, 40M would go: that leaves 99M.
  t.is((await refused(t, room.reserve(50 * M))).detail, 'min-free');
  t.deepEqual(orders, []);
});

test('a look at the limits culls what a smaller MAX_SIZE does not hold', async (t) => {
  const { room, world, orders } = await roomIn(t, { entries: 500 * M });
  await room.check();
  t.deepEqual(orders, []);
  world.maxSize = 200 * M;
  await room.check();
  t.deepEqual(orders, [{ downTo: 196 * M, cutOff: 304 * M }]);
});

test('a file of unknown length takes an eighth of a small MAX_SIZE', async (t) => {
  const { room } = await roomIn(t, { maxSize: 80 * M });
  await Promise.all(Array.from({ length: 8 }, () => room.reserve(undefined)));
  t.is((await refused(t, room.reserve(undefined))).detail, 'max-size');
});
