import { mock } from 'node:test';
import test from 'ava';
import { put, reasonsOf, settle } from './asking.ts';

test.beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_700_000_000_000 });
});
test.afterEach.always(() => mock.timers.reset());

test.serial('the first source that has it gives it, and no other is asked', async (t) => {
  const { fakes, start, reply, asked } = put(['a', 'b']);
  fakes[0]?.answer({});
  await start();
  t.like(reply(), { kind: 'good', source: fakes[0]?.source });
  t.is(asked(), 1);
});

for (const [what, answer] of [
  ['refuses', { error: 'connect ECONNREFUSED' }],
  ['says 503', { status: 503 }],
  ['says 403', { status: 403 }],
  ['says 404', { status: 404 }],
  ['gives HTML', { fields: ['Content-Type', 'text/html'] }],
  ['gives an empty chunked body', { fields: ['Transfer-Encoding', 'chunked'], empty: true }],
] as const) {
  test.serial(`the next source is asked at once when one ${what}`, async (t) => {
    const { fakes, start, reply } = put(['a', 'b']);
    fakes[0]?.answer(answer);
    fakes[1]?.answer({});
    await start();
    t.like(reply(), { kind: 'good', source: fakes[1]?.source });
  });
}

test.serial('a source that is slow gets company, and the first good answer wins', async (t) => {
  const { fakes, start, pass, reply, asked } = put(['a', 'b', 'c']);
  await start();
  await pass(1999);
  t.is(asked(), 1);
  await pass(1);
  t.is(asked(), 2);
  fakes[1]?.answer({});
  await settle();
  t.like(reply(), { kind: 'good', source: fakes[1]?.source });
  t.deepEqual(fakes[0]?.aborted, ['another source was faster']);
  t.is(asked(), 2);
});

test.serial('the slow source wins after all when its company fails', async (t) => {
  const { fakes, start, pass, reply } = put(['a', 'b']);
  await start();
  await pass(2000);
  fakes[1]?.answer({ error: 'reset' });
  await settle();
  t.is(reply(), undefined);
  fakes[0]?.answer({});
  await settle();
  t.like(reply(), { kind: 'good', source: fakes[0]?.source });
});

test.serial('a source that was overtaken is set aside, its company is not', async (t) => {
  const { fakes, sources, health, start, pass } = put(['a', 'b']);
  await start();
  await pass(2000);
  fakes[1]?.answer({});
  await settle();
  t.deepEqual(health.order(sources), [fakes[1]?.source, fakes[0]?.source]);
});

test.serial('company that loses to the first source costs it no health', async (t) => {
  const { fakes, sources, health, start, pass } = put(['a', 'b']);
  await start();
  await pass(2000);
  fakes[0]?.answer({});
  await settle();
  t.deepEqual(health.order(sources), sources);
});

test.serial('an early hedge does not cost a source its health within a second', async (t) => {
  const { fakes, sources, health, start, pass } = put(['a', 'b'], {}, 100);
  await start();
  await pass(100);
  fakes[1]?.answer({});
  await settle();
  t.deepEqual(health.order(sources), sources);
});

test.serial('every source is asked within seven seconds, however many there are', async (t) => {
  const names = Array.from({ length: 15 }, (_, at) => `s${at}`);
  const { start, pass, asked } = put(names);
  await start();
  for (let step = 0; step < 14; step += 1) await pass(500);
  t.is(asked(), 15);
});

test.serial('a source that sends no head for 30 s has failed', async (t) => {
  const { start, pass, reply, health, sources } = put(['a']);
  await start();
  await pass(29_999);
  t.is(reply(), undefined);
  await pass(1);
  t.deepEqual(reasonsOf(reply()), ['no answer for 30.0s']);
  t.is(health.of(sources[0] as (typeof sources)[0]).failures, 1);
});

test.serial('all is over within 38 s, however silent the sources', async (t) => {
  const { fakes, start, pass, reply } = put(['a', 'b', 'c', 'd'], {}, 20_000);
  await start();
  for (let step = 0; step < 299; step += 1) await pass(100);
  t.is(reply(), undefined);
  for (let step = 299; step < 380; step += 1) await pass(100);
  t.is(reply()?.kind, 'failed');
  t.deepEqual(
    reasonsOf(reply()),
    fakes.map(() => 'no answer for 30.0s'),
  );
});

test.serial('a question that is given up is over, and costs nobody health', async (t) => {
  const given = new AbortController();
  const { fakes, sources, health, start, reply } = put(['a', 'b'], { signal: given.signal });
  await start();
  given.abort();
  await settle();
  t.is(reply()?.kind, 'failed');
  t.is(fakes[0]?.aborted.length, 1);
  t.deepEqual(health.order(sources), sources);
});

test.serial('a question that was given up before it was asked is not asked', async (t) => {
  const { start, reply, asked } = put(['a'], { signal: AbortSignal.abort() });
  await start();
  t.is(reply()?.kind, 'failed');
  t.is(asked(), 0);
});

test.serial('a repository without sources has nothing', async (t) => {
  const { start, reply } = put([]);
  await start();
  t.deepEqual(reply(), { kind: 'failed', busy: false, said: [] });
});
