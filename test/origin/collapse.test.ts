import { mock } from 'node:test';
import test from 'ava';
import { createFills } from '../../daemon/origin/collapse.ts';
import type { FillContext, FillOrder } from '../../daemon/origin/order.ts';
import { createStickiness } from '../../daemon/origin/sticky.ts';
import { createCounters } from '../../daemon/stats.ts';
import { fakeAsking, settle } from './asking.ts';

/** Fills whose sources say what they are told to; none of them ever has a body. */
function openFills(names: readonly string[], limits = { maxFills: 3, negativeTtl: 10_000 }) {
  const scene = fakeAsking(names);
  const silent = { info: () => {}, warn: () => {}, debug: () => {} };
  const context = {
    asking: () => scene.asking,
    sticky: createStickiness(() => true),
    partials: { find: () => Promise.resolve(undefined) },
    counters: createCounters(),
    log: silent,
    events: { emit: () => {} },
  } as unknown as FillContext;
  const repository = { name: '', sources: scene.sources };
  const orderOf = (key: string, more: Partial<FillOrder> = {}): FillOrder => ({
    route: { repository, key, path: key, upstreamPath: key, pass: false },
    mutable: false,
    ...more,
  });
  const fills = createFills(context, () => limits);
  /** Starts or joins a fill, and says how it failed. */
  const fail = async (key: string, more: Partial<FillOrder> = {}) => {
    const { fill, collapsed } = fills.join(orderOf(key, more));
    const error = await fill.start.catch((reason: unknown) => reason);
    fill.leave();
    await fill.finished;
    return { code: (error as { code?: string }).code, collapsed };
  };
  return { ...scene, fills, orderOf, fail, limits };
}

const copy = { stored: { size: 1, lastUse: 0 } as NonNullable<FillOrder['stored']> };

test('whoever asks for a key joins the one fill of it, and one question is asked', async (t) => {
  const { fills, orderOf, fakes } = openFills(['a']);
  const first = fills.join(orderOf('x'));
  const second = fills.join(orderOf('x'));
  t.is(first.fill, second.fill);
  t.deepEqual([first.collapsed, second.collapsed], [false, true]);
  t.is(fills.get('x'), first.fill);
  t.deepEqual(fills.all(), [first.fill]);
  await settle();
  t.is(fakes[0]?.requests.length, 1);
  fakes[0]?.answer({ status: 404 });
  await first.fill.finished;
  t.is(fills.get('x'), undefined);
});

test('a key has a fill of its own', async (t) => {
  const { fills, orderOf, fakes } = openFills(['a']);
  const keys = ['x', 'x/y', 'X'];
  const all = keys.map((key) => fills.join(orderOf(key)).fill);
  t.is(new Set(all).size, 3);
  for (const _ of keys) fakes[0]?.answer({ status: 404 });
  await Promise.all(all.map(({ finished }) => finished));
});

test('beyond MAX_FILLS a new fill is refused, and a running one may be joined', async (t) => {
  const { fills, orderOf, fakes } = openFills(['a']);
  for (const key of ['x', 'y', 'z']) fills.join(orderOf(key));
  t.throws(() => fills.join(orderOf('w')), { code: 'busy', message: /3 downloads.*MAX_FILLS/ });
  t.true(fills.join(orderOf('x')).collapsed);
  fakes[0]?.answer({ status: 500 });
  await fills.get('x')?.finished;
  t.false(fills.join(orderOf('w')).collapsed);
  await fills.close('the test is over');
});

test('what every source says is missing is not asked for again for a while', async (t) => {
  const { fills, fail, fakes } = openFills(['a', 'b']);
  for (const fake of fakes) fake.answer({ status: 404 });
  t.is((await fail('x')).code, 'not-found');
  t.throws(() => fills.refuseMissing('x'), { code: 'not-found' });
  await t.throwsAsync(() => fail('x'), { code: 'not-found', message: /no source has it/ });
  t.is(fakes[0]?.requests.length, 1);
  t.notThrows(() => fills.refuseMissing('y'));
});

test.serial('what was missing is asked for again after NEGATIVE_TTL', async (t) => {
  mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 });
  try {
    const { fills, fail, fakes } = openFills(['a']);
    fakes[0]?.answer({ status: 404 });
    await fail('x');
    mock.timers.tick(9999);
    t.throws(() => fills.refuseMissing('x'));
    mock.timers.tick(1);
    fakes[0]?.answer({ status: 404 });
    t.is((await fail('x')).code, 'not-found');
    t.is(fakes[0]?.requests.length, 2);
  } finally {
    mock.timers.reset();
  }
});

for (const [what, statuses] of [
  ['an error', [500, 500]],
  ['404 of one source and an error of the other', [404, 500]],
] as const) {
  test(`${what} is not remembered: the next client asks again`, async (t) => {
    const { fail, fakes } = openFills(['a', 'b']);
    for (let time = 0; time < 2; time += 1) {
      for (const [at, status] of statuses.entries()) fakes[at]?.answer({ status });
      t.false((await fail('x')).collapsed);
    }
    t.is(fakes[0]?.requests.length, 2);
  });
}

test('a check in vain is remembered apart: it does not make the copy missing', async (t) => {
  const { fills, fail, fakes } = openFills(['a']);
  fakes[0]?.answer({ status: 500 });
  t.is((await fail('x', copy)).code, 'source');
  t.is(typeof fills.lastFailure('x'), 'number');
  t.notThrows(() => fills.refuseMissing('x'));
  t.is(fills.lastFailure('y'), undefined);
});

test('404 to a check makes the copy missing, and is no check in vain', async (t) => {
  const { fills, fail, fakes } = openFills(['a']);
  fakes[0]?.answer({ status: 404 });
  t.is((await fail('x', copy)).code, 'not-found');
  t.throws(() => fills.refuseMissing('x'), { code: 'not-found' });
  t.is(fills.lastFailure('x'), undefined);
});

test('what a HEAD found missing counts too', (t) => {
  const { fills, orderOf } = openFills(['a']);
  const error = t.throws(() =>
    openFills(['a'], { maxFills: 0, negativeTtl: 1 }).fills.join(orderOf('x')),
  );
  fills.noteMissing('x', error as Parameters<typeof fills.noteMissing>[1]);
  t.is(
    t.throws(() => fills.join(orderOf('x'))),
    error,
  );
});

test('at the end every fill is given up, and none begins', async (t) => {
  const { fills, orderOf, fakes } = openFills(['a']);
  const starts = ['x', 'y'].map((key) => fills.join(orderOf(key)).fill.start);
  await settle();
  await fills.close('the daemon stops');
  for (const start of starts) await t.throwsAsync(start);
  t.deepEqual(fills.all(), []);
  t.is(fakes[0]?.aborted.length, 2);
  t.throws(() => fills.join(orderOf('z')), { code: 'cancelled' });
});
