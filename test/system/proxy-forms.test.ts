import test from 'ava';
import { startDaemon } from '../helpers/daemon.ts';
import { startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';

const scene = share(test, async (t) => {
  const [root, base, stranger] = [await startOrigin(t), await startOrigin(t), await startOrigin(t)];
  for (const origin of [root, base, stranger]) {
    origin.serve('/*', ({ target }) => ({ body: `${origin.port}${target}` }));
  }
  const conf = { SOURCES_deb: `${base.url}debian/` };
  const daemon = await startDaemon(t, { sources: [root.url], conf });
  return { root, base, stranger, daemon };
});

test('http_proxy: the URL of a source is answered and stored as its path', async (t) => {
  const { daemon, root } = scene();
  const target = `${root.url}absolute.tar.gz`;
  const miss = await daemon.get(target, { host: `127.0.0.1:${root.port}` });
  t.is(String(miss.body), `${root.port}/absolute.tar.gz`);
  t.is(miss.header('cache-status'), 'package-cache; fwd=uri-miss; stored');
  for (const same of ['/absolute.tar.gz', target, target.replace('http:', 'https:')]) {
    t.is((await daemon.get(same)).header('cache-status'), 'package-cache; hit', same);
  }
  t.is(root.count('/absolute.tar.gz'), 1);
});

test('http_proxy: the base path of a source is no part of the key', async (t) => {
  const { daemon, base } = scene();
  const miss = await daemon.get(`${base.url}debian/pool/a.deb`);
  t.is(String(miss.body), `${base.port}/debian/pool/a.deb`);
  const hit = await daemon.get('/deb/pool/a.deb');
  t.is(hit.header('cache-status'), 'package-cache; hit');
});

test('http_proxy: the Host beside a URL is ignored (RFC 9112 3.2.2)', async (t) => {
  const { daemon, root, base } = scene();
  const target = `${root.url}beside.tar.gz`;
  const answer = await daemon.get(target, { host: `127.0.0.1:${base.port}` });
  t.is(String(answer.body), `${root.port}/beside.tar.gz`);
});

test('http_proxy: our own URL is a path', async (t) => {
  const { daemon, base } = scene();
  for (const host of ['127.0.0.1', 'localhost']) {
    const answer = await daemon.get(`http://${host}:${daemon.port}/deb/own.deb`);
    t.is(String(answer.body), `${base.port}/debian/own.deb`, host);
  }
});

test('a host that is no source is 403, named, and not asked', async (t) => {
  const { daemon, stranger, base } = scene();
  const foreign = [
    `${stranger.url}a.tar.gz`,
    `http://127.0.0.1:${stranger.port}`,
    `${base.url}other/a.deb`,
    'http://evil.example/a.tar.gz',
    'http://169.254.169.254/latest/meta-data/',
    'ftp://evil.example/a.tar.gz',
  ];
  for (const target of foreign) {
    const answer = await daemon.get(target);
    t.is(answer.status, 403, target);
    const named = new URL(target).host;
    t.true(String(answer.body).includes(named), target);
    t.regex(String(answer.body), /no open proxy/, target);
  }
  t.is(stranger.count(), 0);
  t.is(base.count('/other/a.deb'), 0);
});

test('DNAT: a Host that names a source counts like its URL', async (t) => {
  const { daemon, base } = scene();
  const host = `127.0.0.1:${base.port}`;
  const miss = await daemon.get('/debian/dnat.deb', { host });
  t.is(String(miss.body), `${base.port}/debian/dnat.deb`);
  const hit = await daemon.get('/deb/dnat.deb');
  t.is(hit.header('cache-status'), 'package-cache; hit');
  const beside = await daemon.get('/other/dnat.deb', { host });
  t.is(beside.status, 403);
});

test('any other Host is ignored, and the path decides', async (t) => {
  const { daemon, root, stranger } = scene();
  const hosts = ['cache', 'cache:4000', `127.0.0.1:${stranger.port}`, `localhost:${daemon.port}`];
  for (const [time, host] of hosts.entries()) {
    const answer = await daemon.get(`/host-${time}.tar.gz`, { host });
    t.is(String(answer.body), `${root.port}/host-${time}.tar.gz`, host);
  }
  t.is(stranger.count('/host-2.tar.gz'), 0);
});

test('HTTP/1.0 without a Host is served by path', async (t) => {
  const { daemon, root } = scene();
  const answer = await daemon.get('/one-nought.tar.gz', { version: '1.0', host: false });
  t.like(answer, { status: 200, ended: 'complete' });
  t.is(String(answer.body), `${root.port}/one-nought.tar.gz`);
});

test('a prefix chooses a repository, and the sources never see it', async (t) => {
  const { daemon, base, root } = scene();
  const answer = await daemon.get('/deb/prefix.deb');
  t.is(String(answer.body), `${base.port}/debian/prefix.deb`);
  t.is(root.count('/deb/prefix.deb'), 0);
});

test("a source's own files under the name of a repository are passed, not stored", async (t) => {
  const { daemon, root } = scene();
  for (const time of [1, 2]) {
    const answer = await daemon.get(`${root.url}deb/shadow.deb`);
    t.is(String(answer.body), `${root.port}/deb/shadow.deb`);
    t.is(answer.header('cache-status'), 'package-cache; fwd=bypass');
    t.is(root.count('/deb/shadow.deb'), time);
  }
});
