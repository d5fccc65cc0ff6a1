import { mock } from 'node:test';
import test from 'ava';
import { put, reasonsOf, settle } from './asking.ts';

test.beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_700_000_000_000 });
});
test.afterEach.always(() => mock.timers.reset());

test.serial('what every source said is told, in the order in which they said it', async (t) => {
  const { fakes, start, reply } = put(['a', 'b', 'c']);
  fakes[0]?.answer({ error: 'connect ECONNREFUSED' });
  fakes[1]?.answer({ status: 500 });
  fakes[2]?.answer({ status: 403 });
  await start();
  t.is(reply()?.kind, 'failed');
  t.deepEqual(reasonsOf(reply()), ['connect ECONNREFUSED', 'status 500', 'status 403']);
});

const verdicts: readonly (readonly [string, readonly number[], object])[] = [
  ['all say 404', [404, 404], { kind: 'missing', certain: true, unanimous: true }],
  ['one says 404, one 410', [404, 410], { kind: 'missing', certain: true, unanimous: true }],
  ['one says 404, one 503', [404, 503], { kind: 'missing', certain: false, unanimous: false }],
  ['one says 404, one 403', [403, 404], { kind: 'missing', certain: false, unanimous: false }],
  ['none says 404', [403, 503], { kind: 'failed' }],
];

for (const [what, statuses, expected] of verdicts) {
  test.serial(`${what}: ${JSON.stringify(expected)}`, async (t) => {
    const { fakes, start, reply } = put(['a', 'b']);
    statuses.forEach((status, at) => {
      fakes[at]?.answer({ status });
    });
    await start();
    t.like(reply(), expected);
  });
}

test.serial('a source that is set aside has no say in what is missing for certain', async (t) => {
  const { fakes, health, start, pass, reply } = put(['a', 'b']);
  const dead = fakes[0];
  if (dead !== undefined) health.fail(dead.source, 'refused');
  fakes[1]?.answer({ status: 404 });
  await start();
  t.is(dead?.requests.length, 1);
  await pass(2000);
  t.like(reply(), { kind: 'missing', certain: true, unanimous: false });
});

test.serial('where all are set aside, the word of one is not the word of all', async (t) => {
  const { fakes, health, sources, start, reply } = put(['a', 'b']);
  for (const source of sources) health.fail(source, 'refused');
  fakes[0]?.answer({ status: 404 });
  fakes[1]?.answer({ error: 'refused' });
  await start();
  t.like(reply(), { kind: 'missing', certain: false });
});

test.serial('a source that is set aside may still have what the others have not', async (t) => {
  const { fakes, health, start, pass, reply } = put(['a', 'b']);
  const sick = fakes[0];
  if (sick !== undefined) health.fail(sick.source, 'refused');
  fakes[1]?.answer({ status: 404 });
  await start();
  await pass(1000);
  sick?.answer({});
  await settle();
  t.like(reply(), { kind: 'good', source: sick?.source });
});

test.serial('404 costs no health', async (t) => {
  const { fakes, sources, health, start } = put(['a', 'b']);
  fakes[0]?.answer({ status: 404 });
  fakes[1]?.answer({});
  await start();
  t.deepEqual(health.order(sources), sources);
});

test.serial('304 to our own validators says that nothing changed', async (t) => {
  const { fakes, start, reply } = put(['a', 'b'], {
    expected: { path: 'i', mutable: true, conditional: true },
    fields: ({ url }) => ({ 'if-none-match': `"${url}"` }),
  });
  fakes[0]?.answer({ status: 304 });
  await start();
  t.deepEqual(reply(), { kind: 'unchanged', source: fakes[0]?.source as never });
  t.deepEqual(fakes[0]?.requests[0]?.fields, { 'if-none-match': '"http://a.example/"' });
});

test.serial('an answer that the question refuses sends it on, and costs no health', async (t) => {
  const { fakes, sources, health, start, reply } = put(['a', 'b'], {
    accept: ({ source }) => (source.hostname === 'a.example' ? 'another file' : undefined),
  });
  for (const fake of fakes) fake.answer({});
  await start();
  t.like(reply(), { kind: 'good', source: fakes[1]?.source });
  t.deepEqual(health.order(sources), sources);
  t.is(fakes[0]?.discarded, 1);
});
