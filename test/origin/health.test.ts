import test from 'ava';
import { parseSourceUrl } from '../../daemon/config/source-url.ts';
import { createHealthBook } from '../../daemon/origin/health.ts';

const [first, second, third] = ['a', 'b', 'c'].map((host) =>
  parseSourceUrl(`http://${host}.example/`),
) as [ReturnType<typeof parseSourceUrl>, ...ReturnType<typeof parseSourceUrl>[]];

function openBook() {
  const lines: string[] = [];
  const clock = { time: 1_000_000 };
  const book = createHealthBook({ now: () => clock.time, changed: (line) => lines.push(line) });
  return { book, clock, lines };
}

/** Fails a source again each time its back-off is over, and says how long each one was. */
function backoffs({ book, clock }: ReturnType<typeof openBook>, count: number): number[] {
  return Array.from({ length: count }, () => {
    book.fail(first, 'reset');
    const pause = book.of(first).until - clock.time;
    clock.time = book.of(first).until;
    return pause;
  });
}

test('sources are tried in the configured order, those set aside last', (t) => {
  const { book } = openBook();
  const sources = [first, second, third].filter((source) => source !== undefined);
  t.deepEqual(book.order(sources), sources);
  book.fail(first, 'refused');
  t.deepEqual(book.order(sources), [second, third, first]);
  t.true(book.isSetAside(first));
});

test('a failed source is set aside twice as long each time, five minutes at most', (t) => {
  const seconds = backoffs(openBook(), 10).map((pause) => pause / 1000);
  t.deepEqual(seconds, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
});

test('requests that fail together are one failure', (t) => {
  const { book, clock } = openBook();
  for (let request = 0; request < 10; request += 1) book.fail(first, 'refused');
  t.is(book.of(first).until, clock.time + 2000);
  t.is(book.of(first).failures, 1);
});

test('a source is tried again when its time is over', (t) => {
  const { book, clock } = openBook();
  book.fail(first, 'refused');
  clock.time += 1999;
  t.true(book.isSetAside(first));
  clock.time += 1;
  t.false(book.isSetAside(first));
});

test('while a source is probed, other requests keep away from it', (t) => {
  const { book, clock } = openBook();
  book.fail(first, 'refused');
  clock.time += 2000;
  book.begin(first);
  t.true(book.isSetAside(first));
  book.succeed(first, 5);
  t.false(book.isSetAside(first));
});

test('a probe that never ends does not keep a source away for ever', (t) => {
  const { book, clock } = openBook();
  book.fail(first, 'refused');
  clock.time += 2000;
  book.begin(first);
  clock.time += 10_000;
  t.false(book.isSetAside(first));
});

test('a source that works is not set aside by being asked', (t) => {
  const { book } = openBook();
  book.begin(first);
  t.false(book.isSetAside(first));
});

test('a source that answers and breaks off every body is set aside longer each time', (t) => {
  const { book, clock } = openBook();
  const pauses = [1, 2, 3].map(() => {
    book.succeed(first, 5);
    book.fail(first, 'stalled');
    const pause = book.of(first).until - clock.time;
    clock.time = book.of(first).until;
    return pause;
  });
  t.deepEqual(pauses, [2000, 4000, 8000]);
});

test('a minute of work wipes a source clean', (t) => {
  const scene = openBook();
  backoffs(scene, 5);
  scene.book.succeed(first, 5);
  scene.clock.time += 60_000;
  t.deepEqual(backoffs(scene, 1), [2000]);
});

test('one line is logged for a change of state, and none for more of the same', (t) => {
  const { book, clock, lines } = openBook();
  book.fail(first, 'connect ECONNREFUSED');
  book.fail(first, 'connect ECONNREFUSED');
  clock.time += 2000;
  book.fail(first, 'status 503');
  book.succeed(first, 5);
  book.succeed(first, 5);
  t.deepEqual(lines, [
    'source http://a.example/ is set aside for 2.0s: connect ECONNREFUSED',
    'source http://a.example/ works again',
  ]);
});

test('what is known of a source is told: failures, reason, since when, latency', (t) => {
  const { book, clock } = openBook();
  const start = clock.time;
  book.succeed(first, 12);
  t.like(book.of(first), { failures: 0, reason: undefined, since: start, latency: 12 });
  clock.time += 100;
  book.fail(first, 'refused');
  clock.time += 2000;
  book.fail(first, 'status 503');
  t.like(book.of(first), { failures: 2, reason: 'status 503', since: start + 100, latency: 12 });
});

test('the same URL is the same source after a reload', (t) => {
  const { book } = openBook();
  book.fail(first, 'refused');
  t.true(book.isSetAside(parseSourceUrl('http://a.example/')));
});

test('a clock that is set back sets no source aside for longer', (t) => {
  const { book, clock } = openBook();
  book.fail(first, 'refused');
  clock.time -= 86_400_000;
  t.false(book.isSetAside(first));
});
