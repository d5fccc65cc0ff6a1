import test from 'ava';
import { parseSourceUrl } from '../../daemon/config/source-url.ts';
import { limitUpstream } from '../../daemon/origin/places.ts';
import type { Attempt, UpstreamAnswer, UpstreamRequest } from '../../daemon/origin/request.ts';
import { settle } from './asking.ts';

/** Sources that answer nothing by themselves: the test ends what it wants to end. */
function openUpstream({ maxFillsPerSource = 2, maxQueue = 8 } = {}) {
  const limits = { maxFillsPerSource, maxQueue };
  const sent: string[] = [];
  const given: string[] = [];
  const ends = new Map<string, () => void>();
  const upstream = limitUpstream(
    {
      ask: ({ path }) => {
        const over = Promise.withResolvers<void>();
        ends.set(path, over.resolve);
        const abort = (reason: Error) => {
          given.push(`${path}: ${reason.message}`);
          over.resolve();
        };
        const answer = Promise.resolve({ url: path } as UpstreamAnswer);
        return { answer, over: over.promise, abort };
      },
      close: () => Promise.resolve(),
    },
    () => limits,
  );
  /** Asks, and notes the path when the request is sent. */
  const ask = (path: string, more: Partial<UpstreamRequest> & { from?: string } = {}): Attempt => {
    const source = parseSourceUrl(more.from ?? 'http://a.example/');
    const sending = () => sent.push(path);
    return upstream.ask({ source, method: 'GET', path, sending, ...more });
  };
  const end = (path: string) => {
    ends.get(path)?.();
    return settle();
  };
  return { ask, end, sent, given, limits };
}

test('as many requests as there are places are sent at once, the others in turn', async (t) => {
  const { ask, end, sent } = openUpstream();
  for (const path of ['1', '2', '3', '4', '5']) ask(path);
  t.deepEqual(sent, ['1', '2']);
  await end('2');
  t.deepEqual(sent, ['1', '2', '3']);
  await end('1');
  await end('3');
  t.deepEqual(sent, ['1', '2', '3', '4', '5']);
});

test('a request that waited is answered as any other', async (t) => {
  const { ask, end } = openUpstream({ maxFillsPerSource: 1 });
  ask('1');
  const second = ask('2');
  await end('1');
  t.is((await second.answer).url, '2');
});

test('each source has its own places', (t) => {
  const { ask, sent } = openUpstream({ maxFillsPerSource: 1 });
  ask('1');
  ask('2');
  ask('3', { from: 'http://b.example/' });
  t.deepEqual(sent, ['1', '3']);
});

test('a place is held after the answer, until nothing of it is on its way', async (t) => {
  const { ask, end, sent } = openUpstream({ maxFillsPerSource: 1 });
  await ask('1').answer;
  ask('2');
  await settle();
  t.deepEqual(sent, ['1']);
  await end('1');
  t.deepEqual(sent, ['1', '2']);
});

test('one that is given up while it waits is not sent, and keeps nobody waiting', async (t) => {
  const { ask, end, sent, given } = openUpstream({ maxFillsPerSource: 1 });
  ask('1');
  const second = ask('2');
  ask('3');
  second.abort(new Error('enough'));
  await t.throwsAsync(second.answer, { message: 'enough' });
  await t.notThrowsAsync(second.over);
  await end('1');
  t.deepEqual(sent, ['1', '3']);
  t.deepEqual(given, []);
});

test('one that is given up after it waited gives its place back', async (t) => {
  const { ask, end, sent, given } = openUpstream({ maxFillsPerSource: 1 });
  ask('1');
  const second = ask('2');
  ask('3');
  await end('1');
  second.abort(new Error('enough'));
  await settle();
  t.deepEqual(given, ['2: enough']);
  t.deepEqual(sent, ['1', '2', '3']);
});

test('beyond the queue, which all sources share, a request is refused and costs no place', async (t) => {
  const { ask, end, sent } = openUpstream({ maxFillsPerSource: 1, maxQueue: 2 });
  ask('1');
  ask('b', { from: 'http://b.example/' });
  ask('2');
  ask('c', { from: 'http://b.example/' });
  const refused = ask('3');
  const error = { code: 'busy', message: /MAX_FILLS_PER_SOURCE.*MAX_QUEUE/ };
  await t.throwsAsync(refused.answer, error);
  await t.notThrowsAsync(refused.over);
  await end('1');
  ask('4');
  await end('2');
  t.deepEqual(sent, ['1', 'b', '2', '4']);
});

const questions: readonly (readonly [string, Partial<UpstreamRequest>])[] = [
  ['a HEAD', { method: 'HEAD' }],
  ['a conditional request', { fields: { 'if-modified-since': 'Sat, 01 Jan 2000 00:00:00 GMT' } }],
  ['a request for the rest of a file', { fields: { range: 'bytes=1-' } }],
];

for (const [what, more] of questions) {
  test(`${what} has a quarter of the places more, and no more than that`, async (t) => {
    const { ask, end, sent } = openUpstream({ maxFillsPerSource: 4 });
    for (const path of ['1', '2', '3', '4', '5']) ask(path);
    ask('a', more);
    ask('b', more);
    t.deepEqual(sent, ['1', '2', '3', '4', 'a']);
    // The place that is free now is one of those: the download has to wait on.
    await end('1');
    t.deepEqual(sent, ['1', '2', '3', '4', 'a', 'b']);
    await end('a');
    await end('b');
    t.is(sent.at(-1), '5');
  });
}

test('what is passed on leaves a quarter of the places and of the queue to downloads', async (t) => {
  const { ask, sent } = openUpstream({ maxFillsPerSource: 4, maxQueue: 4 });
  const passed = { passed: true, fields: { range: 'bytes=1-' } };
  for (const path of ['1', '2', '3', '4', '5', '6']) ask(path, passed);
  await t.throwsAsync(ask('7', passed).answer, { code: 'busy' });
  ask('a');
  ask('b');
  t.deepEqual(sent, ['1', '2', '3', 'a']);
  await t.throwsAsync(ask('c').answer, { code: 'busy' });
});

test('one place is enough for all of them', (t) => {
  const { ask, end, sent } = openUpstream({ maxFillsPerSource: 1 });
  ask('1', { passed: true });
  t.deepEqual(sent, ['1']);
  return end('1').then(() => {
    ask('2');
    ask('3', { method: 'HEAD' });
    t.deepEqual(sent, ['1', '2', '3']);
  });
});

test('a higher limit counts at the next request, and those that waited come first', async (t) => {
  const { ask, end, sent, limits } = openUpstream({ maxFillsPerSource: 1 });
  for (const path of ['1', '2', '3']) ask(path);
  limits.maxFillsPerSource = 3;
  ask('4');
  t.deepEqual(sent, ['1', '2', '3']);
  limits.maxFillsPerSource = 1;
  await end('1');
  await end('2');
  t.deepEqual(sent, ['1', '2', '3']);
  await end('3');
  t.deepEqual(sent, ['1', '2', '3', '4']);
});
