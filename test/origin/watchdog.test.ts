import { mock } from 'node:test';
import test from 'ava';
import { startWatchdog } from '../../daemon/origin/watchdog.ts';

test.beforeEach(() => {
  mock.timers.enable({ apis: ['setInterval', 'Date'] });
});
test.afterEach.always(() => mock.timers.reset());

function watch(patience: number) {
  const barks: string[] = [];
  const watchdog = startWatchdog({ patience, stalled: ({ message }) => barks.push(message) });
  /** Lets seconds pass, with so many bytes in each. */
  const pass = (seconds: number, bytes = 0) => {
    for (let second = 0; second < seconds; second += 1) {
      mock.timers.tick(1000);
      if (bytes > 0) watchdog.received(bytes);
    }
  };
  return { watchdog, barks, pass };
}

for (const patience of [8000, 30_000]) {
  test.serial(`no byte for ${patience / 1000} s is a stall, and not earlier`, (t) => {
    const { barks, pass } = watch(patience);
    pass(patience / 1000 - 1);
    t.deepEqual(barks, []);
    pass(1);
    t.deepEqual(barks, [`no byte for ${(patience / 1000).toFixed(1)}s`]);
  });
}

test.serial('a byte starts the silence anew', (t) => {
  const { watchdog, barks, pass } = watch(8000);
  pass(7);
  watchdog.received(1);
  pass(7);
  t.deepEqual(barks, []);
  pass(1);
  t.is(barks.length, 1);
});

test.serial('under 1 kB/s for a minute is a stall', (t) => {
  const { barks, pass } = watch(8000);
  pass(59, 999);
  t.deepEqual(barks, []);
  pass(1, 999);
  t.regex(barks[0] ?? '', /^only \d+B\/s for a minute$/);
});

test.serial('1 kB/s is progress for ever: there is no limit on the whole', (t) => {
  const { barks, pass } = watch(8000);
  pass(3600, 1024);
  t.deepEqual(barks, []);
});

test.serial('a minute of little is a stall even after hours of much', (t) => {
  const { barks, pass } = watch(8000);
  pass(3600, 1_000_000);
  pass(120, 10);
  t.is(barks.length, 1);
});

test.serial('a source that is held back is not to blame', (t) => {
  const { watchdog, barks, pass } = watch(8000);
  watchdog.hold();
  pass(3600);
  t.deepEqual(barks, []);
  watchdog.release();
  pass(7);
  t.deepEqual(barks, []);
  pass(1);
  t.is(barks.length, 1);
});

test.serial('the time in which a source was held back does not count as slow', (t) => {
  const { watchdog, barks, pass } = watch(8000);
  pass(50, 100);
  watchdog.hold();
  pass(60);
  watchdog.release();
  pass(30, 100_000);
  t.deepEqual(barks, []);
});

test.serial('a stall is told once', (t) => {
  const { barks, pass } = watch(8000);
  pass(600);
  t.is(barks.length, 1);
});

test.serial('a watchdog that was stopped is silent', (t) => {
  const { watchdog, barks, pass } = watch(8000);
  watchdog.stop();
  pass(600);
  t.deepEqual(barks, []);
});

test.serial('a patience below a second is kept', (t) => {
  const { barks } = watch(100);
  mock.timers.tick(99);
  t.deepEqual(barks, []);
  mock.timers.tick(1);
  t.is(barks.length, 1);
});
