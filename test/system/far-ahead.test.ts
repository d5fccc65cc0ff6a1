import test from 'ava';
import { gate } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import {
  askBeyond,
  body,
  far,
  near,
  path,
  range,
  rangesOf,
  serve,
  size,
  there,
} from './far-ahead.ts';
import { openRepositories } from './repositories.ts';

const one = ['origin'] as const;

const scene = share(test, (t) =>
  openRepositories(t, {
    closed: one,
    far: one,
    head: one,
    leaves: one,
    near: one,
    plain: one,
    several: one,
    silent: one,
    suffix: one,
  } as const),
);

function at(name: keyof ReturnType<typeof scene>['of']) {
  const { daemon, of } = scene();
  return { daemon, repository: of[name] };
}

test('a resume far ahead of the download goes on by a range of its own', async (t) => {
  const { daemon, repository } = at('far');
  const [origin] = repository.origins;
  const held = serve(origin);
  const { first, stream } = await askBeyond(t, { daemon, repository }, range(`${far}-`));
  const answer = await stream.rest();
  t.like(answer, { status: 206, ended: 'complete', surplus: 0 });
  t.is(answer.header('content-range'), `bytes ${far}-${size - 1}/${size}`);
  t.is(answer.header('content-length'), String(size - far));
  t.is(answer.header('cache-status'), 'package-cache; fwd=partial; detail=far-ahead');
  t.true(answer.body.equals(body.subarray(far)));
  t.deepEqual(rangesOf(origin), [`bytes=${far}-`]);
  t.is(origin.requests[1]?.headerOf('if-range'), '"67748580-f4240"');
  held.open();
  t.true((await first.rest()).body.equals(body));
  t.is((await repository.get(path)).header('cache-status'), 'package-cache; hit');
});

test('a download that has brought nothing in a while is far behind', async (t) => {
  const { daemon, repository } = at('silent');
  const [origin] = repository.origins;
  const held = gate();
  serve(origin, {}, { chunks: { gate: held, after: 0 } });
  const { first, stream } = await askBeyond(t, { daemon, repository }, range('10-'));
  t.true((await stream.rest()).body.equals(body.subarray(10)));
  held.open();
  t.true((await first.rest()).body.equals(body));
});

for (const [name, value, from, to] of [
  ['closed', `${far}-${far + 99}`, far, far + 100],
  ['suffix', '-100', size - 100, size],
  ['near', `${near}-`, near, size],
] as const) {
  test(`a ${name} range waits for the download`, async (t) => {
    const { daemon, repository } = at(name);
    const [origin] = repository.origins;
    const held = serve(origin);
    const { stream } = await askBeyond(t, { daemon, repository }, range(value));
    const head = await stream.head;
    t.is(head.status, 206);
    t.regex(head.header('cache-status') ?? '', /^package-cache; fwd=uri-miss; stored; collapsed$/);
    held.open();
    t.true((await stream.rest()).body.equals(body.subarray(from, to)));
    t.deepEqual(rangesOf(origin), []);
  });
}

test('several ranges wait for the download', async (t) => {
  const { daemon, repository } = at('several');
  const held = serve(repository.origins[0]);
  const { stream } = await askBeyond(t, { daemon, repository }, range(`0-9,${far}-`));
  t.is((await stream.head).status, 206);
  held.open();
  t.is((await stream.rest()).ended, 'complete');
  t.deepEqual(rangesOf(repository.origins[0]), []);
});

test('a request for the whole is no resume', async (t) => {
  const { daemon, repository } = at('plain');
  const held = serve(repository.origins[0]);
  const { stream } = await askBeyond(t, { daemon, repository });
  t.is((await stream.head).status, 200);
  held.open();
  t.true((await stream.rest()).body.equals(body));
  t.is(repository.origins[0].count(), 1);
});

test('a HEAD asks for no range of its own', async (t) => {
  const { daemon, repository } = at('head');
  const held = serve(repository.origins[0]);
  const { ask, stream } = await askBeyond(t, { daemon, repository });
  const answer = await ask({ method: 'HEAD' }).rest();
  t.is(answer.header('content-length'), String(size));
  held.open();
  await stream.rest();
  t.is(repository.origins[0].count(), 1);
});

test('a client that leaves ends the range of its own, and not the download', async (t) => {
  const { daemon, repository } = at('leaves');
  const [origin] = repository.origins;
  const large = { generate: { seed: 'large', size: 16 * 1024 ** 2 } };
  const held = gate();
  const chunks = { gate: held, after: there };
  origin.serve(path, ({ headerOf }) =>
    headerOf('range') === undefined ? { ...large, chunks } : { ...large, rate: 200_000 },
  );
  const { first, stream } = await askBeyond(t, { daemon, repository }, range(`${size}-`));
  await stream.read(10);
  stream.destroy();
  const request = await origin.arrived(path, 2);
  await request.gone;
  t.true(request.sent < large.generate.size - size);
  held.open();
  let received = 0;
  while (received < large.generate.size) received += (await first.read(1024 ** 2)).length;
  t.is((await first.rest()).ended, 'complete');
});
