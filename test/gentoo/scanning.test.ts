import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { keepScanning } from '../../daemon/gentoo/scanning.ts';
import { testClock } from '../helpers/clock.ts';
import { type Gate, gate } from '../helpers/gate.ts';

const minute = 60_000;

/** Scans that take as long as the test wants, each one with a gate of its own. */
function scene(t: ExecutionContext) {
  const clock = testClock();
  const gates: Gate[] = [];
  const world = { marks: 'before', settled: true };
  const scanning = keepScanning({
    clock,
    marks: async () => world.marks,
    scan: async () => {
      const own = gate();
      gates.push(own);
      await own.pass();
      return world.settled;
    },
  });
  t.teardown(async () => {
    for (const each of gates) each.open();
    await scanning.close();
  });
  /** Lets a scan begin and end, if one is due. */
  const settle = async () => {
    await setImmediate();
    for (const each of gates) each.open();
    await setImmediate();
  };
  /** How many scans were begun once so many minutes have passed. */
  const after = async (minutes: number) => {
    for (let passed = 0; passed < minutes; passed += 1) {
      clock.advance(minute);
      await settle();
    }
    return gates.length;
  };
  return { clock, gates, world, scanning, settle, after };
}

test('a sync is noticed within two minutes, and nothing is scanned without one', async (t) => {
  const { world, scanning, settle, after } = scene(t);
  void scanning.now();
  await settle();
  t.is(await after(30), 1);
  world.marks = 'after';
  t.is(await after(2), 2);
  t.is(await after(20), 2);
});

test('without any mark there is a scan an hour', async (t) => {
  const { scanning, settle, after } = scene(t);
  void scanning.now();
  await settle();
  t.is(await after(59), 1);
  t.is(await after(3), 2);
  t.is(await after(57), 2);
  t.is(await after(5), 3);
});

test('a sync under way is followed until a scan finds nothing new', async (t) => {
  const { world, scanning, settle, after } = scene(t);
  world.settled = false;
  void scanning.now();
  await settle();
  t.is(await after(6), 4);
  world.settled = true;
  t.is(await after(2), 5);
  t.is(await after(20), 5);
});

test('what a sync changes while a scan is under way is seen by the next one', async (t) => {
  const { gates, world, scanning, settle, after } = scene(t);
  void scanning.now();
  await setImmediate();
  t.is(gates.length, 1);
  world.marks = 'during';
  await settle();
  t.is(await after(2), 2);
});

test('who asks for a scan under way waits for one that begins later, and many for the same', async (t) => {
  const { gates, scanning } = scene(t);
  const first = scanning.now();
  await setImmediate();
  const ended: string[] = [];
  const later = ['a', 'b'].map((name) => scanning.now().then(() => ended.push(name)));
  gates[0]?.open();
  await first;
  await setImmediate();
  t.deepEqual(ended, []);
  t.is(gates.length, 2);
  gates[1]?.open();
  await Promise.all(later);
  t.is(gates.length, 2);
});

test('closing waits for the scan under way, and none begins any more', async (t) => {
  const { clock, gates, scanning } = scene(t);
  void scanning.now();
  await setImmediate();
  const waiting = scanning.now();
  let closed = false;
  const closing = scanning.close().then(() => {
    closed = true;
  });
  await setImmediate();
  t.false(closed);
  gates[0]?.open();
  await Promise.all([closing, waiting]);
  await scanning.now();
  t.is(gates.length, 1);
  t.is(clock.pending(), 0);
});
