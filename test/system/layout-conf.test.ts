import test from 'ava';
import { open } from '../helpers/client.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { gate, refusedPort, startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { getChecked, openRepositories, type Repository } from './repositories.ts';

const path = 'distfiles/layout.conf';
const hashed = '[structure]\n0=filename-hash BLAKE2B 8\n';
const flat = '[structure]\n0=flat\n';
const own = '[structure]\n0=filename-hash BLAKE2B 8:8\n';
const one = ['origin'] as const;
const two = ['origin', 'origin'] as const;

const scene = share(test, async (t) => {
  const dead = `http://127.0.0.1:${await refusedPort(t)}/` as const;
  return openRepositories(
    t,
    {
      served: one,
      unreachable: [dead, 'http://no-such-host.invalid/'],
      html: one,
      errors: two,
      missing: two,
      gone: one,
      doubt: ['origin', dead],
      copy: one,
      copy_doubt: two,
      copy_missing: one,
      back: one,
      remembered: ['origin', dead],
      elsewhere: one,
      forbidden: one,
    } as const,
    { MUTABLE_TTL: '0' },
  );
});

async function textOf({ get }: Pick<Repository, 'get'>): Promise<string> {
  const answer = await get(path);
  return `${answer.status} ${answer.body}`;
}

test('a layout.conf that a source has is served as it is', async (t) => {
  const repository = scene().of.served;
  repository.origins[0].serve(path, own);
  t.is(await textOf(repository), `200 ${own}`);
});

test('while no source can be reached, layout.conf is what every Gentoo mirror serves', async (t) => {
  const { get } = scene().of.unreachable;
  const answer = await get(path);
  t.like(answer, { status: 200, ended: 'complete', surplus: 0 });
  t.is(String(answer.body), hashed);
  t.is(answer.header('content-type'), 'text/plain; charset=utf-8');
  t.is(answer.header('content-length'), String(hashed.length));
  t.is(answer.header('cache-status'), 'package-cache; fwd=uri-miss; detail=built-in');
  t.is(answer.header('last-modified'), undefined);
  t.is(answer.header('etag'), undefined);
});

test('a HEAD of that layout.conf has its length', async (t) => {
  const { get } = scene().of.unreachable;
  const answer = await get(path, { method: 'HEAD' });
  t.like(answer, { status: 200, surplus: 0 });
  t.is(answer.header('content-length'), String(hashed.length));
});

for (const [name, what, answer] of [
  ['html', 'an HTML page', { body: '<html>', fields: [['Content-Type', 'text/html']] }],
  ['errors', 'errors', { status: 503 }],
  ['forbidden', '403', { status: 403 }],
] as const) {
  test(`${what} is no layout.conf`, async (t) => {
    const repository = scene().of[name];
    for (const origin of repository.origins) origin.serve(path, answer);
    t.is(await textOf(repository), `200 ${hashed}`);
  });
}

for (const [name, status] of [
  ['missing', 404],
  ['gone', 410],
] as const) {
  test(`where every source says ${status}, the layout is flat, and stays so`, async (t) => {
    const repository = scene().of[name];
    for (const origin of repository.origins) origin.serve(path, { status });
    t.is(await textOf(repository), `200 ${flat}`);
    t.is(await textOf(repository), `200 ${flat}`);
    t.is(repository.origins[0].count(), 1);
    const head = await repository.get(path, { method: 'HEAD' });
    t.is(head.header('content-length'), String(flat.length));
  });
}

test('where one source says 404 and the other cannot be reached, the layout is not flat', async (t) => {
  const repository = scene().of.doubt;
  t.is(await textOf(repository), `200 ${hashed}`);
});

test('404 is remembered as what it was: not the word of every source', async (t) => {
  const repository = scene().of.remembered;
  await repository.get('distfiles/aa/unknown');
  t.is(await textOf(repository), `200 ${hashed}`);
  t.is(await textOf(repository), `200 ${hashed}`);
});

test('the last copy is served while no source can be reached', async (t) => {
  const repository = scene().of.copy;
  repository.origins[0].serve(path, own);
  await getChecked(repository, path);
  await getChecked(repository, path);
  await repository.origins[0].stop();
  const answer = await repository.get(path);
  t.is(String(answer.body), own);
  t.is(answer.header('cache-status'), 'package-cache; fwd=stale; detail=failed');
});

test('the last copy is served where one source says 404 and the other has an error', async (t) => {
  const repository = scene().of.copy_doubt;
  const { origins } = repository;
  origins[0].serve(path, own);
  await getChecked(repository, path);
  await getChecked(repository, path);
  origins[0].serve('*', { status: 500 });
  await repository.get('distfiles/aa/other');
  for (let time = 0; time < 2; time += 1) t.is(await textOf(repository), `200 ${own}`);
});

test('where every source says 404, a copy does not keep the layout from being flat', async (t) => {
  const repository = scene().of.copy_missing;
  repository.origins[0].serve(path, own);
  await getChecked(repository, path);
  await getChecked(repository, path);
  repository.origins[0].serve(path, { status: 404 });
  for (let time = 0; time < 2; time += 1) t.is(await textOf(repository), `200 ${flat}`);
});

test('a source that is back is asked again at once', async (t) => {
  const repository = scene().of.back;
  const [origin] = repository.origins;
  origin.serve(path, { status: 500 });
  t.is(await textOf(repository), `200 ${hashed}`);
  origin.serve(path, own);
  t.is(await textOf(repository), `200 ${own}`);
});

test('only distfiles/layout.conf is special', async (t) => {
  const { get } = scene().of.elsewhere;
  t.is((await get('distfiles/aa/layout.conf')).status, 404);
  t.is((await get('layout.conf')).status, 404);
  t.is((await get('distfiles/layout.conf.bak')).status, 404);
});

test('only-if-cached is told when layout.conf is not stored', async (t) => {
  const { get } = scene().of.elsewhere;
  const fields = [['Cache-Control', 'only-if-cached']] as const;
  t.is((await get(path, { fields })).status, 504);
});

test('layout.conf is served at the root too, and while no more downloads may begin', async (t) => {
  const origin = await startOrigin(t);
  const daemon = await startDaemon(t, { sources: [origin.url], conf: { MAX_FILLS: '1' } });
  const held = gate();
  origin.serve('distfiles/aa/x', { body: own, delayHead: held });
  const other = open({ port: daemon.port, target: '/distfiles/aa/x', t });
  await held.reached;
  t.is(await textOf({ get: () => daemon.get(`/${path}`) }), `200 ${hashed}`);
  held.open();
  await other.rest();
  const ask = () => textOf({ get: () => daemon.get(`${origin.url}${path}`) });
  let text = await ask();
  while (text === `200 ${hashed}`) text = await ask();
  t.is(text, `200 ${flat}`);
});
