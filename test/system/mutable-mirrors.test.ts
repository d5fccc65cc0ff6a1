import { mkdir } from 'node:fs/promises';
import test from 'ava';
import { createLayout } from '../../daemon/cache/layout.ts';
import type { WhyReply } from '../../daemon/control/reports.ts';
import { dialControl } from '../helpers/control.ts';
import { bodyOf } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { getChecked, openRepositories, type Repository } from './repositories.ts';

const index = 'dists/stable/InRelease';
const signature = 'dists/stable/Release.gpg';
const [old, fresh] = [bodyOf('old', 3000), bodyOf('new', 4000)];
const newer = 'Thu, 02 Jan 2025 00:00:00 GMT';
const newest = 'Fri, 03 Jan 2025 00:00:00 GMT';
const two = ['origin', 'origin'] as const;

const scene = share(test, (t) =>
  openRepositories(
    t,
    {
      pair: two,
      suite: two,
      head: two,
      passed: two,
      why: two,
      apart: two,
      sick: two,
      packages: two,
      back: two,
      forward: two,
      own: two,
      tags: two,
      undated: two,
    } as const,
    { MUTABLE_TTL: '0', NEGATIVE_TTL: '0' },
  ),
);

async function storeFrom(repository: Repository, at: 0 | 1, lastModified: string): Promise<void> {
  const { origins } = repository;
  origins[at].serve(index, { body: old, lastModified, etag: '"first"' });
  await getChecked(repository, index);
  await getChecked(repository, index);
}

test('the files of a directory come from one source, even where it is not the first', async (t) => {
  const { origins, get } = scene().of.pair;
  for (const name of [index, signature]) origins[1].serve(name, old);
  origins[0].serve(signature, fresh);
  await get(index);
  t.is(origins[0].count(index), 1);
  t.true((await get(signature)).body.equals(old));
  t.is(origins[0].count(signature), 0);
});

test('all files of a Debian suite come from one source, in whatever directory they are', async (t) => {
  const { origins, get } = scene().of.suite;
  const packages = 'dists/stable/main/binary-amd64/Packages.gz';
  for (const name of [index, packages]) origins[1].serve(name, old);
  origins[0].serve(packages, fresh);
  await get(index);
  t.true((await get(packages)).body.equals(old));
  t.is(origins[0].count(packages), 0);
});

test('HEAD of one that is not stored asks the directory’s own source, and makes none of another', async (t) => {
  const { origins, get } = scene().of.head;
  for (const name of [index, signature, 'dists/testing/x']) origins[1].serve(name, old);
  for (const name of [signature, 'dists/testing/y']) origins[0].serve(name, fresh);
  await get(index);
  const head = await get(signature, { method: 'HEAD' });
  t.is(head.header('content-length'), String(old.length));
  t.is(origins[0].count(signature), 0);
  // Nothing was fetched from there: the directory has no source of its own yet.
  await get('dists/testing/x', { method: 'HEAD' });
  t.true((await get('dists/testing/y')).body.equals(fresh));
});

test('one that cannot be stored comes from the directory’s own source too', async (t) => {
  const { daemon, of } = scene();
  const { origins, get } = of.passed;
  for (const name of [index, signature]) origins[1].serve(name, old);
  origins[0].serve(signature, fresh);
  await get(index);
  // Where its partial would lie something is in the way.
  await mkdir(createLayout(daemon.cacheDir).partial(`passed/${signature}`));
  const passed = await get(signature);
  t.is(passed.header('cache-status'), 'package-cache; fwd=uri-miss; detail=storage');
  t.true(passed.body.equals(old));
});

test('why names the sources in the order in which they are asked, the directory’s own first', async (t) => {
  const { daemon, of } = scene();
  const { origins, get } = of.why;
  origins[1].serve(index, old);
  await get(index);
  const control = await dialControl(t, daemon.controlSocket);
  const { reply } = await control.call<WhyReply>('why', { path: `why/${signature}` });
  t.deepEqual(
    reply.sources.map(({ url }) => url),
    origins.map(({ url }) => url).toReversed(),
  );
});

test('each directory has a source of its own', async (t) => {
  const { origins, get } = scene().of.apart;
  const other = 'dists/testing/InRelease';
  origins[1].serve(index, old);
  origins[0].serve(other, fresh);
  origins[1].serve(other, old);
  await get(index);
  t.true((await get(other)).body.equals(fresh));
});

test('a source that is set aside is no directory’s own', async (t) => {
  const { origins, get } = scene().of.sick;
  origins[1].serve('*', old);
  await get(index);
  await origins[1].stop();
  await get('dists/other/x');
  origins[0].serve(signature, fresh);
  t.true((await get(signature)).body.equals(fresh));
});

test('packages, which never change, come from the first source', async (t) => {
  const { origins, get } = scene().of.packages;
  for (const origin of origins) origin.serve('dists/stable/x_1.tar.xz', fresh);
  origins[1].serve(index, old);
  await get(index);
  const name = 'pool/x_1.deb';
  for (const origin of origins) origin.serve(name, fresh);
  await get(name);
  t.is(origins[0].count(name), 1);
});

test('an older copy of another mirror does not replace ours: no step back', async (t) => {
  const repository = scene().of.back;
  const { origins, get } = repository;
  await storeFrom(repository, 0, newer);
  await origins[0].stop();
  // Said outright, the status makes it ignore our conditions, as some mirrors do.
  origins[1].serve(index, { status: 200, body: fresh });
  const answer = await get(index);
  t.true(answer.body.equals(old));
  t.is(answer.header('last-modified'), newer);
  t.is(origins[1].count(), 1);
});

test('a newer copy of another mirror replaces ours', async (t) => {
  const repository = scene().of.forward;
  const { origins, get } = repository;
  await storeFrom(repository, 0, newer);
  await origins[0].stop();
  origins[1].serve(index, { body: fresh, lastModified: newest });
  const answer = await get(index);
  t.true(answer.body.equals(fresh));
  t.is(answer.header('last-modified'), newest);
});

test('a source may put its own older copy back', async (t) => {
  const repository = scene().of.own;
  const { origins, get } = repository;
  await storeFrom(repository, 0, newer);
  origins[0].serve(index, { status: 200, body: fresh });
  t.true((await get(index)).body.equals(fresh));
});

test('another mirror is asked by date, and never by an entity tag that is not its own', async (t) => {
  const repository = scene().of.tags;
  const { origins, get } = repository;
  await storeFrom(repository, 0, newer);
  await origins[0].stop();
  origins[1].serve(index, { body: old, lastModified: newer, etag: '"second"' });
  t.is((await get(index)).header('cache-status'), 'package-cache; fwd=stale; fwd-status=304');
  const check = await origins[1].arrived(index);
  t.is(check.headerOf('if-modified-since'), newer);
  t.is(check.headerOf('if-none-match'), undefined);
});

test('another mirror’s copy without a date is taken', async (t) => {
  const repository = scene().of.undated;
  const { origins, get } = repository;
  await storeFrom(repository, 0, newer);
  await origins[0].stop();
  origins[1].serve(index, { body: fresh, lastModified: false });
  t.true((await get(index)).body.equals(fresh));
});
