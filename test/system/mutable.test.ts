import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { DownloadsReply } from '../../daemon/control/reports.ts';
import { connection, open } from '../helpers/client.ts';
import { dialControl } from '../helpers/control.ts';
import { bodyOf, defaultLastModified, gate } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { checked, getChecked, openRepositories } from './repositories.ts';

const index = 'dists/stable/InRelease';
const [old, fresh] = [bodyOf('old', 3000), bodyOf('new', 4000)];
const newer = 'Thu, 02 Jan 2025 00:00:00 GMT';
const one = ['origin'] as const;
const stale = 'package-cache; fwd=stale';

// Every copy is too old at once, so that each request checks it.
const scene = share(test, (t) =>
  openRepositories(
    t,
    {
      kept: one,
      removed: one,
      removed_head: one,
      many: one,
      changed: one,
      readers: one,
      joined: one,
      gone: one,
      gone_long: one,
      cached: one,
      head: one,
      page: one,
      own: one,
    } as const,
    { MUTABLE_TTL: '0', NEGATIVE_TTL: '0' },
  ),
);

test('a copy that may be old is checked with exactly the validators it came with', async (t) => {
  const { origins, get } = checked(scene().of.kept);
  origins[0].serve(index, { body: old, etag: '"tag"' });
  t.is((await get(index)).header('cache-status'), 'package-cache; fwd=uri-miss; stored');
  const again = await get(index);
  t.is(again.header('cache-status'), `${stale}; fwd-status=304`);
  t.true(again.body.equals(old));
  const check = await origins[0].arrived(index, 2);
  t.is(check.headerOf('if-none-match'), '"tag"');
  t.is(check.headerOf('if-modified-since'), defaultLastModified);
  t.is(check.sent, 0);
});

for (const method of ['GET', 'HEAD']) {
  test(`${method} of a copy that is removed while it is checked asks for another one`, async (t) => {
    const { daemon, of } = scene();
    const { origins, name, get } = of[method === 'GET' ? 'removed' : 'removed_head'];
    const held = gate();
    origins[0].serve(index, (_, time) => ({ body: old, ...(time === 2 && { delayHead: held }) }));
    await get(index);
    await daemon.logged(new RegExp(`stored "${name}/`));
    const checking = getChecked({ get }, index);
    await held.reached;
    const control = await dialControl(t, daemon.controlSocket);
    await control.call('purge', { patterns: [`${name}/${index}`] });
    const joining = get(index, { method });
    for (let clients = 0; clients < 2; ) {
      const { reply } = await control.call<DownloadsReply>('downloads');
      clients = reply.downloads.find(({ path }) => path === `${name}/${index}`)?.clients ?? 0;
    }
    held.open();
    const answer = await joining;
    t.like(answer, { status: 200, ended: 'complete' });
    t.is(answer.header('content-length'), String(old.length));
    if (method === 'GET') t.true(answer.body.equals(old));
    // Whoever had looked it up before has it open.
    t.true((await checking).body.equals(old));
    t.is((await origins[0].arrived(index, 3)).headerOf('if-modified-since'), undefined);
  });
}

test('one check serves all clients that wait for it', async (t) => {
  const { daemon, of } = scene();
  const { origins, get } = checked(of.many);
  const held = gate();
  origins[0].serve(index, (_, time) => ({ body: old, ...(time === 3 && { delayHead: held }) }));
  await get(index);
  await get(index);
  const client = connection({ port: daemon.port, t });
  const answers = Array.from({ length: 10 }, () => client.send({ target: `/many/${index}` }));
  await held.reached;
  // Each of these is looked up as the ten are, and after them.
  const fields = [['Cache-Control', 'only-if-cached']] as const;
  for (let time = 0; time < 5; time += 1) await of.many.get(index, { fields });
  held.open();
  const all = await Promise.all(answers);
  const said = all.map(({ header }) => header('cache-status')).toSorted();
  const joined = Array.from({ length: 9 }, () => `${stale}; fwd-status=304; collapsed`);
  t.deepEqual(said, [`${stale}; fwd-status=304`, ...joined]);
  for (const { body } of all) t.true(body.equals(old));
  t.is(origins[0].count(), 3);
});

test('a changed body replaces the old one, on disk too, and is checked by its own date', async (t) => {
  const { daemon, of } = scene();
  const { origins, get } = checked(of.changed);
  origins[0].serve(index, old);
  await get(index);
  origins[0].serve(index, { body: fresh, lastModified: newer });
  const answer = await get(index);
  t.is(answer.header('cache-status'), `${stale}; fwd-status=200; stored`);
  t.is(answer.header('last-modified'), newer);
  t.true(answer.body.equals(fresh));
  await daemon.logged(/stored "changed\/.*4000 bytes/);
  t.true((await readFile(join(daemon.cacheDir, 'changed', index))).equals(fresh));
  t.is((await get(index)).header('cache-status'), `${stale}; fwd-status=304`);
  t.is((await origins[0].arrived(index, 3)).headerOf('if-modified-since'), newer);
});

test('a reader of the old body keeps it while the new one takes its place', async (t) => {
  const { daemon, of } = scene();
  const { origins, get } = checked(of.readers);
  const large = bodyOf('large', 16 * 1024 ** 2);
  origins[0].serve('disk.db', large);
  await get('disk.db');
  await daemon.logged(/stored "readers\/disk/);
  const reader = open({ port: daemon.port, target: '/readers/disk.db', t });
  t.is((await reader.head).header('cache-status'), `${stale}; fwd-status=304`);
  reader.pause();
  origins[0].serve('disk.db', { body: fresh, lastModified: newer });
  t.true((await get('disk.db')).body.equals(fresh));
  await daemon.logged(/stored "readers\/.*4000 bytes/);
  reader.resume();
  const answer = await reader.rest();
  t.is(answer.ended, 'complete');
  t.true(answer.body.equals(large));
});

test('clients join the download of a changed body', async (t) => {
  const { daemon, of } = scene();
  const { origins, get } = checked(of.joined);
  const held = gate();
  origins[0].serve(index, old);
  await get(index);
  await get(index);
  const chunks = { gate: held, after: 1000 };
  origins[0].serve(index, { body: fresh, lastModified: newer, chunks });
  const first = get(index);
  await held.reached;
  const second = open({ port: daemon.port, target: `/joined/${index}`, t });
  const { header } = await second.head;
  t.is(header('cache-status'), `${stale}; fwd-status=200; stored; collapsed`);
  held.open();
  for (const { body } of await Promise.all([first, second.rest()])) t.true(body.equals(fresh));
  t.is(origins[0].count(), 3);
});

for (const status of [404, 410]) {
  test(`${status} to a check is answered, and the copy stays`, async (t) => {
    const { daemon, of } = scene();
    const { origins, get } = checked(of.gone);
    const name = `${index}.${status}`;
    origins[0].serve(name, old);
    await get(name);
    await daemon.logged(new RegExp(`stored "gone/${name}"`));
    origins[0].serve(name, { status });
    for (let time = 0; time < 2; time += 1) t.is((await get(name)).status, 404);
    t.true((await readFile(join(daemon.cacheDir, 'gone', name))).equals(old));
    origins[0].serve(name, old);
    t.is((await get(name)).header('cache-status'), `${stale}; fwd-status=304`);
  });
}

test('only-if-cached gets the copy as it is, and 504 where there is none', async (t) => {
  const { origins, get } = scene().of.cached;
  const fields = [['Cache-Control', 'only-if-cached']] as const;
  origins[0].serve(index, old);
  t.is((await get(index, { fields })).status, 504);
  await get(index);
  await getChecked({ get }, index);
  t.is((await get(index, { fields })).header('cache-status'), 'package-cache; hit');
  t.is(origins[0].count(), 2);
});

test('a HEAD of a copy that may be old checks it too', async (t) => {
  const { origins, get } = checked(scene().of.head);
  origins[0].serve(index, old);
  await get(index);
  const answer = await get(index, { method: 'HEAD' });
  t.like(answer, { status: 200, surplus: 0 });
  t.is(answer.header('content-length'), String(old.length));
  t.is(answer.header('cache-status'), `${stale}; fwd-status=304`);
});

test('an HTML page is no index: the copy goes out, and stays', async (t) => {
  const { origins, get } = checked(scene().of.page);
  origins[0].serve(index, old);
  await get(index);
  origins[0].serve(index, { body: '<html>', fields: [['Content-Type', 'text/html']] });
  const answer = await get(index);
  t.is(answer.header('cache-status'), `${stale}; detail=failed`);
  t.true(answer.body.equals(old));
});

test('the client’s own condition is answered by what is good now', async (t) => {
  const { origins, get } = checked(scene().of.own);
  origins[0].serve(index, old);
  const etag = (await get(index)).header('etag') ?? '';
  const fields = [['If-None-Match', etag]] as const;
  t.is((await get(index, { fields })).status, 304);
  origins[0].serve(index, { body: fresh, lastModified: newer });
  const answer = await get(index, { fields });
  t.is(answer.status, 200);
  t.true(answer.body.equals(fresh));
  const since = [['If-Modified-Since', newer]] as const;
  t.is((await get(index, { fields: since })).status, 304);
});
