import { mock } from 'node:test';
import test from 'ava';
import { ask, type Reply } from '../../daemon/origin/ask.ts';
import { limitUpstream } from '../../daemon/origin/places.ts';
import { refusal } from '../../daemon/origin/refusals.ts';
import { fakeAsking, reasonsOf, settle } from './asking.ts';

test.beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_700_000_000_000 });
});
test.afterEach.always(() => mock.timers.reset());

/** Sources of which each has one place; the first question of all takes that of the first one. */
async function openBusy(names: readonly string[], maxQueue = 8) {
  const scene = fakeAsking(names);
  const limits = { maxFillsPerSource: 1, maxQueue };
  const asking = { ...scene.asking, upstream: limitUpstream(scene.asking.upstream, () => limits) };
  const put = async (path: string, sources = scene.sources) => {
    const seen: { reply?: Reply } = {};
    void ask(asking, { sources, method: 'GET', path, expected: { path, mutable: false } }).then(
      (reply) => {
        seen.reply = reply;
      },
    );
    await settle();
    return seen;
  };
  const pass = async (milliseconds: number) => {
    mock.timers.tick(milliseconds);
    await settle();
  };
  const [first] = scene.sources;
  const before = await put('first', first === undefined ? [] : [first]);
  return { ...scene, put, pass, before };
}

test.serial('while a question waits for its place the next source is asked', async (t) => {
  const { fakes, sources, health, put, pass, log } = await openBusy(['a', 'b']);
  const seen = await put('second');
  await pass(1999);
  t.is(fakes[1]?.requests.length, 0);
  await pass(1);
  t.is(fakes[1]?.requests.length, 1);
  fakes[1]?.answer({});
  await settle();
  t.like(seen.reply, { kind: 'good', source: sources[1] });
  // The one that had no place was not asked, and is not to blame.
  t.is(fakes[0]?.requests.length, 1);
  t.deepEqual(health.order(sources), sources);
  t.deepEqual(log, []);
});

test.serial(
  'a place that gets free in time is taken, and the wait is not its latency',
  async (t) => {
    const { fakes, sources, health, put, pass } = await openBusy(['a']);
    const seen = await put('second');
    await pass(10_000);
    fakes[0]?.answer({ status: 404 });
    await settle();
    t.is(fakes[0]?.requests.length, 2);
    await pass(300);
    fakes[0]?.answer({});
    await settle();
    t.like(seen.reply, { kind: 'good', source: sources[0] });
    t.is(sources[0] && health.of(sources[0]).latency, 300);
  },
);

test.serial('where there is no place in half a minute, and nowhere else, it is busy', async (t) => {
  const { sources, health, put, pass, before } = await openBusy(['a']);
  const [source] = sources;
  if (source === undefined) return t.fail();
  await pass(1000);
  const seen = await put('second');
  await pass(29_000);
  // The one that was sent and got no answer is another matter.
  t.like(before.reply, { kind: 'failed', busy: false });
  t.is(health.of(source).failures, 1);
  t.is(seen.reply, undefined);
  await pass(1000);
  t.like(seen.reply, { kind: 'failed', busy: true });
  t.is(health.of(source).failures, 1);
});

test.serial('beyond the queue the next source is asked at once', async (t) => {
  const { fakes, put } = await openBusy(['a', 'b'], 1);
  await put('waits');
  await put('second');
  t.is(fakes[1]?.requests.length, 1);
});

test.serial('beyond the queue, and nowhere else, it is busy at once', async (t) => {
  const { put, sources, health } = await openBusy(['a'], 1);
  await put('waits');
  const { reply } = await put('second');
  t.like(reply, { kind: 'failed', busy: true });
  t.regex(reasonsOf(reply)[0] ?? '', /MAX_FILLS_PER_SOURCE.*MAX_QUEUE/);
  t.deepEqual(health.order(sources), sources);
  if (reply?.kind !== 'failed') return t.fail();
  t.like(refusal('x', reply), { code: 'busy' });
});

test.serial('busy counts for more than failed, since it may pass', async (t) => {
  const { fakes, put, sources } = await openBusy(['a', 'b'], 1);
  await put('waits', sources.slice(0, 1));
  const seen = await put('second');
  fakes[1]?.answer({ status: 500 });
  await settle();
  t.like(seen.reply, { kind: 'failed', busy: true });
});

test.serial(
  'a question that is given up while it waits is over, and leaves the queue',
  async (t) => {
    const { asking, fakes, sources } = fakeAsking(['a']);
    const limits = () => ({ maxFillsPerSource: 1, maxQueue: 1 });
    const limited = { ...asking, upstream: limitUpstream(asking.upstream, limits) };
    const question = { sources, method: 'GET', expected: { path: 'x', mutable: false } } as const;
    const first = ask(limited, { ...question, path: 'first' });
    const gone = new AbortController();
    const second = ask(limited, { ...question, path: 'second', signal: gone.signal });
    gone.abort();
    t.is((await second).kind, 'failed');
    const third = ask(limited, { ...question, path: 'third' });
    fakes[0]?.answer({ status: 404 });
    t.is((await first).kind, 'missing');
    fakes[0]?.answer({});
    t.is((await third).kind, 'good');
    t.deepEqual(
      fakes[0]?.requests.map(({ path }) => path),
      ['first', 'third'],
    );
  },
);
