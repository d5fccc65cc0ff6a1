import test from 'ava';
import { CacheError } from '../../daemon/errors.ts';
import { createStoring } from '../../daemon/room/storing.ts';
import { testClock } from '../helpers/clock.ts';

function scene() {
  const clock = testClock(1_000_000);
  const lines: string[] = [];
  return {
    clock,
    lines,
    storing: createStoring({ now: clock.now, changed: (line) => lines.push(line) }),
  };
}

function failureOf(code: string): Error {
  return Object.assign(new Error(`${code}: it failed`), { code });
}

for (const code of ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EMFILE', 'ENFILE']) {
  test(`after ${code} the disk is left alone for ten seconds`, (t) => {
    const { storing, clock, lines } = scene();
    storing.noteFailure(failureOf(code));
    t.deepEqual(storing.state(), {
      storing: false,
      detail: 'storage',
      reason: `${code}: it failed`,
      since: 1_000_000,
    });
    clock.advance(9_999);
    t.is(storing.refusal(), `${code}: it failed`);
    clock.advance(1);
    t.is(storing.refusal(), undefined);
    t.false(storing.state().storing);
    t.deepEqual(lines, [`not storing: ${code}: it failed`]);
  });
}

test('the failure is recognised behind the errors that wrap it', (t) => {
  const { storing } = scene();
  const cause = new Error('wrapped', { cause: failureOf('ENOSPC') });
  storing.noteFailure(
    new CacheError('storage', { verb: 'write', thing: 'x', reason: 'full', cause }),
  );
  t.not(storing.refusal(), undefined);
});

test('what is not the fault of the disk changes nothing', (t) => {
  const { storing, lines } = scene();
  const source = new CacheError('source', { verb: 'fetch', thing: 'x', reason: 'no' });
  for (const error of [failureOf('ENOENT'), failureOf('ECONNRESET'), source, 'text', undefined]) {
    storing.noteFailure(error);
  }
  t.deepEqual(storing.state(), { storing: true });
  t.deepEqual(lines, []);
});

test('each failure doubles the pause, up to five minutes, and one success ends that', (t) => {
  const { storing, clock, lines } = scene();
  const pauses: number[] = [];
  for (let failures = 0; failures < 8; failures += 1) {
    storing.noteFailure(failureOf('EIO'));
    const from = clock.now();
    while (storing.refusal() !== undefined) clock.advance(1000);
    pauses.push((clock.now() - from) / 1000);
  }
  t.deepEqual(pauses, [10, 20, 40, 80, 160, 300, 300, 300]);
  storing.noteSuccess();
  t.deepEqual(storing.state(), { storing: true });
  storing.noteFailure(failureOf('EIO'));
  clock.advance(10_000);
  t.is(storing.refusal(), undefined);
  t.deepEqual(lines, [
    'not storing: EIO: it failed',
    'storing again',
    'not storing: EIO: it failed',
  ]);
});

test('downloads that fail side by side are one failure', (t) => {
  const { storing, clock, lines } = scene();
  for (let failures = 0; failures < 5; failures += 1) storing.noteFailure(failureOf('ENOSPC'));
  clock.advance(10_000);
  t.is(storing.refusal(), undefined);
  t.is(lines.length, 1);
});

test('a success while the disk is left alone proves nothing', (t) => {
  const { storing, clock, lines } = scene();
  storing.noteFailure(failureOf('ENOSPC'));
  storing.noteSuccess();
  t.not(storing.refusal(), undefined);
  clock.advance(10_000);
  storing.noteSuccess();
  t.deepEqual(lines, ['not storing: ENOSPC: it failed', 'storing again']);
});

test('a full disk is told once when it gets full and once when it is not any more', (t) => {
  const { storing, clock, lines } = scene();
  storing.noteLevel(undefined);
  storing.noteLevel('min-free: 1K left');
  clock.advance(1000);
  storing.noteLevel('min-free: 2K left');
  t.like(storing.state(), { detail: 'min-free', reason: 'min-free: 1K left', since: 1_000_000 });
  t.is(storing.refusal(), undefined);
  storing.noteSuccess();
  t.false(storing.state().storing);
  storing.noteLevel(undefined);
  t.deepEqual(lines, ['not storing: min-free: 1K left', 'storing again']);
});

test('that there is room again does not mend a disk that fails', (t) => {
  const { storing, clock, lines } = scene();
  storing.noteLevel('min-free: 1K left');
  storing.noteFailure(failureOf('EIO'));
  clock.advance(10_000);
  storing.noteLevel(undefined);
  t.like(storing.state(), { detail: 'storage' });
  storing.noteSuccess();
  t.is(lines.at(-1), 'storing again');
});
