import test from 'ava';
import { startDaemon } from '../helpers/daemon.ts';
import { bodyOf, startOrigin } from '../helpers/origin.ts';
import { needs } from '../helpers/programs.ts';
import { share } from '../helpers/share.ts';
import { makeAuthority, startTls } from '../helpers/tls.ts';
import { startTunnel } from '../helpers/tunnel.ts';

const body = bodyOf('package', 50_000);
const lent = `Basic ${Buffer.from('us@er:pass:word').toString('base64')}`;

// The proxy answers for every host, so that sources may have public addresses here.
const scene = share(test, async (t) => {
  const proxy = await startOrigin(t);
  const daemon = await startDaemon(t, {
    sources: ['http://8.8.8.8/gentoo/'],
    conf: {
      UPSTREAM_PROXY: proxy.url,
      SOURCES_inside: 'http://10.1.2.3/',
      SOURCES_named: 'http://mirror.invalid/',
      SOURCES_lent: 'http://user:secret@8.8.4.4/',
    },
  });
  return { proxy, daemon };
});

test('a source is asked through the proxy, in the absolute form (RFC 9112 3.2.2)', async (t) => {
  const { proxy, daemon } = scene();
  proxy.serve('/gentoo/distfiles/aa/absolute', body);
  t.true((await daemon.get('/distfiles/aa/absolute')).body.equals(body));
  const request = await proxy.arrived('/gentoo/distfiles/aa/absolute');
  t.is(request.target, 'http://8.8.8.8/gentoo/distfiles/aa/absolute');
  t.is(request.headerOf('host'), '8.8.8.8');
});

test('a kept connection to the proxy that closes under a request is replaced', async (t) => {
  const { proxy, daemon } = scene();
  proxy.serve('/gentoo/distfiles/aa/one', body);
  proxy.serve('/gentoo/distfiles/aa/two', (_, time) => (time === 1 ? { raw: '' } : { body }));
  await daemon.get('/distfiles/aa/one');
  t.is((await daemon.get('/distfiles/aa/two')).status, 200);
});

test('an interim answer of the proxy is passed over', async (t) => {
  const { proxy, daemon } = scene();
  const interim = 'HTTP/1.1 100 Continue\r\n\r\n';
  proxy.serve('/gentoo/distfiles/aa/interim', { body, interim });
  t.true((await daemon.get('/distfiles/aa/interim')).body.equals(body));
});

for (const [at, target] of [
  'http://127.0.0.1:8080/admin',
  'http://[::1]/',
  'http://169.254.169.254/latest/meta-data/',
  'http://192.168.1.1/',
  'http://[::ffff:127.0.0.1]/',
  'http://0x7f.1/',
  'http://2130706433/',
].entries()) {
  test(`a public source cannot send us to ${target}`, async (t) => {
    const { proxy, daemon } = scene();
    const path = `distfiles/aa/to-${at}`;
    proxy.serve(`/gentoo/${path}`, { status: 302, fields: [['Location', target]] });
    proxy.serve(target, body);
    const answer = await daemon.get(`/${path}`);
    t.is(answer.status, 502);
    t.regex(String(answer.body), /it redirects to the private address/);
  });
}

test('a public source may send us to another public one', async (t) => {
  const { proxy, daemon } = scene();
  const location = 'http://9.9.9.9/there';
  proxy.serve('/gentoo/distfiles/aa/away', { status: 302, fields: [['Location', location]] });
  proxy.serve('/there', body);
  t.true((await daemon.get('/distfiles/aa/away')).body.equals(body));
});

test('a private source may send us to another private one', async (t) => {
  const { proxy, daemon } = scene();
  const location = 'http://192.168.1.1/near';
  proxy.serve('/distfiles/aa/inside', { status: 302, fields: [['Location', location]] });
  proxy.serve('/near', body);
  t.true((await daemon.get('/inside/distfiles/aa/inside')).body.equals(body));
});

test('what left a public source for another one is still kept from private addresses', async (t) => {
  const { proxy, daemon } = scene();
  const on = (path: string, location: string) =>
    proxy.serve(path, { status: 302, fields: [['Location', location]] });
  on('/gentoo/distfiles/aa/detour', 'http://9.9.9.9/detour');
  on('/detour', 'http://10.0.0.1/secret');
  proxy.serve('/secret', body);
  t.is((await daemon.get('/distfiles/aa/detour')).status, 502);
  t.is(proxy.count('/secret'), 0);
});

test('credentials of a source go through the proxy to it alone', async (t) => {
  const { proxy, daemon } = scene();
  const secret = `Basic ${Buffer.from('user:secret').toString('base64')}`;
  const location = 'http://9.9.9.9/taken';
  proxy.serve('/distfiles/aa/lent', { status: 302, fields: [['Location', location]] });
  proxy.serve('/taken', body);
  t.is((await daemon.get('/lent/distfiles/aa/lent')).status, 200);
  t.is((await proxy.arrived('/distfiles/aa/lent')).headerOf('authorization'), secret);
  t.is((await proxy.arrived('/taken')).headerOf('authorization'), undefined);
});

test('a source on https is reached by a tunnel through the proxy (RFC 9110 9.3.6)', async (t) => {
  if (!needs(t, 'openssl')) return;
  const authority = await makeAuthority(t);
  const source = await startOrigin(t, { files: { '/distfiles/aa/secure': body } });
  const certificate = authority.issue('DNS:mirror.invalid');
  const tunnel = await startTunnel(t, await startTls(t, { port: source.port, certificate }));
  const daemon = await startDaemon(t, {
    sources: ['https://mirror.invalid/'],
    conf: { CA_FILE: authority.file, UPSTREAM_PROXY: withUser(tunnel.url) },
  });
  t.true((await daemon.get('/distfiles/aa/secure')).body.equals(body));
  t.deepEqual(tunnel.asked, [{ target: 'mirror.invalid:443', credentials: lent }]);
  t.is((await source.arrived('/distfiles/aa/secure')).headerOf('proxy-authorization'), undefined);
});

test('credentials of the proxy go to it with every request', async (t) => {
  const proxy = await startOrigin(t, { files: { '/distfiles/aa/one': body } });
  const daemon = await startDaemon(t, {
    sources: ['http://mirror.invalid/'],
    conf: { UPSTREAM_PROXY: withUser(proxy.url) },
  });
  t.is((await daemon.get('/distfiles/aa/one')).status, 200);
  t.is(proxy.requests[0]?.headerOf('proxy-authorization'), lent);
});

test('hosts of UPSTREAM_NO_PROXY, and those below them, are asked without the proxy', async (t) => {
  const proxy = await startOrigin(t, { files: { '*': body } });
  const near = await startOrigin(t, { files: { '*': body } });
  const daemon = await startDaemon(t, {
    sources: [near.url, 'http://mirror.invalid/'],
    conf: {
      SOURCES_named: near.url.replace('127.0.0.1', 'localhost'),
      UPSTREAM_PROXY: proxy.url,
      UPSTREAM_NO_PROXY: '127.0.0.1 localhost .lan',
    },
  });
  t.is((await daemon.get('/distfiles/aa/one')).status, 200);
  t.is((await daemon.get('/named/distfiles/aa/one')).status, 200);
  t.deepEqual([near.count(), proxy.count()], [2, 0]);
  await near.stop();
  t.is((await daemon.get('/distfiles/aa/two')).status, 200);
  t.is(proxy.requests[0]?.target, 'http://mirror.invalid/distfiles/aa/two');
});

test('a redirect is followed where the proxy alone can resolve names', async (t) => {
  const { proxy, daemon } = scene();
  const location = 'http://elsewhere.invalid/named';
  proxy.serve('/distfiles/aa/named', { status: 302, fields: [['Location', location]] });
  proxy.serve('/named', body);
  t.true((await daemon.get('/named/distfiles/aa/named')).body.equals(body));
});

function withUser(url: string): string {
  return url.replace('//', '//us%40er:pass%3Aword@');
}
