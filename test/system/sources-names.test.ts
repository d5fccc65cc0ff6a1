import test from 'ava';
import { startBlackHole } from '../helpers/black-hole.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { hostNames } from '../helpers/host-names.ts';
import { hasIPv6 } from '../helpers/ipv6.ts';
import { bodyOf, startOrigin } from '../helpers/origin.ts';

const path = 'distfiles/aa/package.tar.xz';
const body = bodyOf('package', 100_000);

test('a name that could not be looked up at boot is looked up again for the next request', async (t) => {
  const names = await hostNames(t);
  const origin = await startOrigin(t, { files: { [path]: body } });
  const daemon = await startDaemon(t, {
    sources: [`http://mirror.example:${origin.port}/`, `http://other.example:${origin.port}/`],
    env: names.env,
  });
  const early = await daemon.get(`/${path}`);
  t.is(early.status, 502);
  t.regex(String(early.body), /EAI_AGAIN mirror\.example/);
  await names.know({ 'mirror.example': ['127.0.0.1'] });
  t.true((await daemon.get(`/${path}`)).body.equals(body));
});

test('a name that moves to another address is found there at the next connection', async (t) => {
  const names = await hostNames(t);
  const old = await startOrigin(t, { files: { '*': bodyOf('old', 1000) }, keepAlive: false });
  const { port } = old;
  await startOrigin(t, { address: '127.0.0.2', port, files: { '*': body } });
  const daemon = await startDaemon(t, {
    sources: [`http://mirror.example:${port}/`],
    env: names.env,
  });
  await names.know({ 'mirror.example': ['127.0.0.1'] });
  t.is((await daemon.get(`/${path}`)).body.length, 1000);
  await names.know({ 'mirror.example': ['127.0.0.2'] });
  t.true((await daemon.get(`/${path}.asc`)).body.equals(body));
});

test('a source whose IPv6 leads nowhere costs two seconds once, and then IPv4 is first', async (t) => {
  if (!hasIPv6(t)) return;
  const names = await hostNames(t);
  // An answer ends its connection: each request needs a new one.
  const origin = await startOrigin(t, { files: { '*': body }, keepAlive: false });
  await startBlackHole(t, { host: '::1', port: origin.port });
  await names.know({ 'mirror.example': ['::1', '127.0.0.1'] });
  const daemon = await startDaemon(t, {
    sources: [`http://mirror.example:${origin.port}/`],
    env: names.env,
  });
  const started = performance.now();
  const first = await daemon.get(`/${path}`);
  t.true(first.body.equals(body));
  t.true(first.headAt - started > 1900, 'IPv6 was tried');
  const again = performance.now();
  const second = await daemon.get(`/${path}.asc`);
  t.true(second.body.equals(body));
  t.true(second.headAt - again < 1500, `${second.headAt - again}`);
});
