import test from 'ava';
import { open } from '../helpers/client.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { bodyOf, gate, startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { getChecked, openRepositories, type Repository } from './repositories.ts';

const index = 'dists/stable/InRelease';
const [old, fresh] = [bodyOf('old', 3000), bodyOf('new', 4000)];
const newer = 'Thu, 02 Jan 2025 00:00:00 GMT';
const one = ['origin'] as const;
const two = ['origin', 'origin'] as const;
const stale = 'package-cache; fwd=stale';

const scene = share(test, (t) =>
  openRepositories(
    t,
    {
      down: two,
      errors: two,
      again: one,
      slow: one,
      late: one,
      doubt: two,
      sure: two,
      remembered: one,
      resets: one,
      forced: one,
    } as const,
    { MUTABLE_TTL: '0', NEGATIVE_TTL: '1s' },
  ),
);

/** Stores the old copy, and waits until it counts as old. */
async function store(repository: Repository): Promise<void> {
  repository.origins[0].serve(index, old);
  await getChecked(repository, index);
  await getChecked(repository, index);
}

test('when all sources are down the copy goes out (RFC 9211: fwd=stale)', async (t) => {
  const repository = scene().of.down;
  await store(repository);
  for (const origin of repository.origins) await origin.stop();
  const answer = await repository.get(index);
  t.is(answer.status, 200);
  t.is(answer.header('cache-status'), `${stale}; detail=failed`);
  t.true(answer.body.equals(old));
});

test('when all sources have errors the copy goes out', async (t) => {
  const repository = scene().of.errors;
  await store(repository);
  for (const [at, origin] of repository.origins.entries()) {
    origin.serve(index, at === 0 ? { status: 503 } : { raw: 'garbage' });
  }
  t.is((await repository.get(index)).header('cache-status'), `${stale}; detail=failed`);
});

test('after a check in vain no other is made for NEGATIVE_TTL', async (t) => {
  const repository = scene().of.again;
  const { origins, get } = repository;
  await store(repository);
  origins[0].serve(index, { status: 500 });
  await get(index);
  const before = origins[0].count();
  t.is((await get(index)).header('cache-status'), stale);
  t.is(origins[0].count(), before);
  origins[0].serve(index, old);
  let answer = await get(index);
  while (answer.header('cache-status') === stale) answer = await get(index);
  t.is(answer.header('cache-status'), `${stale}; fwd-status=304`);
});

test('after 3 s without an answer the copy goes out, and the check goes on', async (t) => {
  const repository = scene().of.slow;
  const { origins, get } = repository;
  await store(repository);
  const held = gate();
  origins[0].serve(index, { body: fresh, lastModified: newer, delayHead: held });
  const started = performance.now();
  const answer = await get(index);
  t.is(answer.header('cache-status'), `${stale}; detail=slow`);
  t.true(answer.body.equals(old));
  t.true(answer.headAt - started > 2900);
  const second = await get(index);
  t.is(second.header('cache-status'), `${stale}; collapsed; detail=slow`);
  t.true(second.headAt - answer.headAt < 2000);
  held.open();
  await scene().daemon.logged(/stored "slow\/.*4000 bytes/);
  t.true((await get(index)).body.equals(fresh));
});

test('304 that comes after the copy went out still counts', async (t) => {
  const repository = scene().of.late;
  const { origins, get } = repository;
  await store(repository);
  const held = gate();
  origins[0].serve(index, (_, time) => ({ body: old, ...(time === 3 && { delayHead: held }) }));
  t.is((await get(index)).header('cache-status'), `${stale}; detail=slow`);
  held.open();
  const answer = await get(index);
  t.regex(answer.header('cache-status') ?? '', /; fwd-status=304/);
});

test('404 of one source while the other has an error proves nothing', async (t) => {
  const repository = scene().of.doubt;
  const { origins, get } = repository;
  await store(repository);
  origins[0].serve(index, { status: 403 });
  t.is((await get(index)).header('cache-status'), `${stale}; detail=failed`);
});

test('404 of the source that is left is a 404', async (t) => {
  const repository = scene().of.sure;
  const { origins, get } = repository;
  await store(repository);
  await origins[0].stop();
  await get('dists/stable/other');
  t.is((await get(index)).status, 404);
});

test('404 to a check is remembered for NEGATIVE_TTL', async (t) => {
  const repository = scene().of.remembered;
  const { origins, get } = repository;
  await store(repository);
  origins[0].serve(index, { status: 404 });
  t.is((await get(index)).status, 404);
  const before = origins[0].count();
  for (const method of ['GET', 'HEAD']) t.is((await get(index, { method })).status, 404);
  t.is(origins[0].count(), before);
});

test('a changed body that breaks off is no end of the copy', async (t) => {
  const repository = scene().of.resets;
  const { origins, get } = repository;
  await store(repository);
  origins[0].serve(index, { body: fresh, lastModified: newer, resetAfter: 2000 });
  t.not((await get(index)).ended, 'complete');
  origins[0].serve(index, { status: 500 });
  t.true((await getChecked(repository, index)).body.equals(old));
});

test('no-cache gets the copy too when no source answers', async (t) => {
  const repository = scene().of.forced;
  await store(repository);
  await repository.origins[0].stop();
  const fields = [['Cache-Control', 'no-cache']] as const;
  const answer = await repository.get(index, { fields });
  t.like(answer, { status: 200, ended: 'complete' });
  t.true(answer.body.equals(old));
});

test('when too many downloads are in progress the copy goes out', async (t) => {
  const origin = await startOrigin(t);
  const daemon = await startDaemon(t, {
    sources: [origin.url],
    conf: { MUTABLE_TTL: '0', MAX_FILLS: '1' },
  });
  const get = (path: string) => daemon.get(`/${path}`);
  origin.serve(index, old);
  await getChecked({ get }, index);
  await getChecked({ get }, index);
  const held = gate();
  origin.serve('distfiles/aa/x', { body: fresh, delayHead: held });
  const other = open({ port: daemon.port, target: '/distfiles/aa/x', t });
  await held.reached;
  t.is((await get('distfiles/aa/y')).status, 503);
  const answer = await get(index);
  t.is(answer.header('cache-status'), stale);
  t.true(answer.body.equals(old));
  held.open();
  t.true((await other.rest()).body.equals(fresh));
});
