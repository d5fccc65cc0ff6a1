import test from 'ava';
import { repeat, systemClock } from '../../daemon/schedule.ts';
import { testClock } from '../helpers/clock.ts';
import { gate } from '../helpers/gate.ts';

test('a job runs after its first delay, and then again so long after its end', async (t) => {
  const clock = testClock(0);
  const times: number[] = [];
  const ends = [gate(), gate()];
  const stop = repeat({ clock, first: 10, every: 100 }, async () => {
    times.push(clock.now());
    await ends[times.length - 1]?.pass();
  });
  clock.advance(9);
  t.deepEqual(times, []);
  clock.advance(1);
  await ends[0]?.reached;
  clock.advance(1000);
  t.deepEqual(times, [10]);
  ends[0]?.open();
  await untilPlanned(clock);
  clock.advance(100);
  t.deepEqual(times, [10, 1110]);
  ends[1]?.open();
  await stop();
  t.is(clock.pending(), 0);
});

test('who stops it waits for the job under way, and it does not run again', async (t) => {
  const clock = testClock();
  const end = gate();
  let ended = false;
  const stop = repeat({ clock, first: 0, every: 1 }, async () => {
    await end.pass();
    ended = true;
  });
  clock.advance(0);
  const stopped = stop();
  t.false(ended);
  end.open();
  await stopped;
  t.true(ended);
  t.is(clock.pending(), 0);
});

test("the system's clock runs what is due, and not what was called off", async (t) => {
  const ran = gate();
  systemClock.after(1, () => t.fail())();
  systemClock.after(5, ran.open);
  // What it is to run keeps no process alive: something else has to.
  const alive = setInterval(() => {}, 1000);
  await ran.opened;
  clearInterval(alive);
  t.true(Math.abs(systemClock.now() - Date.now()) < 1000);
});

// The next time is planned when the promise of the last one is settled.
async function untilPlanned(clock: { pending(): number }): Promise<void> {
  while (clock.pending() === 0) await Promise.resolve();
}
