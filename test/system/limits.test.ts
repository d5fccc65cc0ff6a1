import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { connection } from '../helpers/client.ts';
import { type Daemon, startDaemon, tempDir } from '../helpers/daemon.ts';
import { bodyOf, gate, startOrigin } from '../helpers/origin.ts';

const request = 'GET /.package-cache/health HTTP/1.1\r\nHost: cache\r\n\r\n';

/** A connection from an address of this machine that is answered, and stays. */
async function hold(t: ExecutionContext, { port }: Daemon, from = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  t.teardown(() => socket.destroy());
  socket.write(request);
  const [piece] = await once(socket, 'data');
  t.regex(String(piece), /^HTTP\/1\.1 200 /);
  return socket;
}

/** Asks for the health page from an address of this machine until the daemon closes. */
async function ask({ port }: Daemon, from = '127.0.0.1'): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  socket.end(request);
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece);
  return String(Buffer.concat(pieces));
}

test('beyond MAX_FILLS a cold file is 503 with Retry-After; what runs can be joined', async (t) => {
  const held = gate();
  const body = bodyOf('a', 50_000);
  const files = { '/distfiles/aa/a.tgz': { body, chunks: { gate: held, after: 1000 } } };
  const origin = await startOrigin(t, {
    files: { ...files, '/distfiles/aa/b.tgz': 'b', '/l/': 'l' },
  });
  const daemon = await startDaemon(t, { sources: [origin.url], conf: { MAX_FILLS: '1' } });
  const first = daemon.get('/distfiles/aa/a.tgz');
  await held.reached;
  const refused = await daemon.get('/distfiles/aa/b.tgz');
  t.is(refused.status, 503);
  t.is(refused.header('retry-after'), '5');
  t.is(refused.header('cache-status'), 'package-cache; detail=busy');
  t.regex(String(refused.body), /MAX_FILLS/);
  t.is(origin.count('/distfiles/aa/b.tgz'), 0);
  t.is((await daemon.get('/l/')).status, 200);
  const joined = daemon.get('/distfiles/aa/a.tgz');
  held.open();
  for (const answer of await Promise.all([first, joined])) t.true(answer.body.equals(body));
  let second = await daemon.get('/distfiles/aa/b.tgz');
  while (second.status === 503) second = await daemon.get('/distfiles/aa/b.tgz');
  t.is(String(second.body), 'b');
});

test('beyond MAX_CONNECTIONS a client is told 503, and nothing it asks is done', async (t) => {
  const origin = await startOrigin(t, { files: { '/*': 'a package' } });
  const daemon = await startDaemon(t, { sources: [origin.url], conf: { MAX_CONNECTIONS: '2' } });
  const [one] = [await hold(t, daemon), await hold(t, daemon, '127.0.0.2')];
  const refused = await daemon.get('/a.tar.gz');
  t.is(refused.status, 503);
  t.is(refused.header('retry-after'), '5');
  t.is(refused.header('connection'), 'close');
  t.regex(String(refused.body), /2 connections are open \(MAX_CONNECTIONS\)/);
  t.is(origin.count(), 0);
  one.destroy();
  let answer = await daemon.get('/a.tar.gz');
  while (answer.status === 503) answer = await daemon.get('/a.tar.gz');
  t.is(String(answer.body), 'a package');
});

test('refused connections count for nothing: they keep nobody out', async (t) => {
  const daemon = await startDaemon(t, { conf: { MAX_CONNECTIONS: '1' } });
  const held = await hold(t, daemon);
  const waiting = Array.from({ length: 20 }, () => connect(daemon.port, '127.0.0.1'));
  for (const socket of waiting) {
    t.teardown(() => socket.destroy());
    const [piece] = await once(socket, 'data');
    t.regex(String(piece), /^HTTP\/1\.1 503 /);
  }
  held.destroy();
  let answer = await ask(daemon);
  while (answer.includes(' 503 ')) answer = await ask(daemon);
  t.regex(answer, /\r\n\r\nok\n$/);
});

test('beyond MAX_CONNECTIONS_PER_CLIENT one address is told 503, and others are served', async (t) => {
  const daemon = await startDaemon(t, { conf: { MAX_CONNECTIONS_PER_CLIENT: '2' } });
  const [one] = [await hold(t, daemon), await hold(t, daemon)];
  const refused = await ask(daemon);
  t.regex(refused, /^HTTP\/1\.1 503 /);
  t.regex(refused, /127\.0\.0\.1 has 2 connections open \(MAX_CONNECTIONS_PER_CLIENT\)/);
  t.regex(await ask(daemon, '127.0.0.2'), /^HTTP\/1\.1 200 /);
  one.destroy();
  let answer = await ask(daemon);
  while (answer.includes(' 503 ')) answer = await ask(daemon);
  t.regex(answer, /^HTTP\/1\.1 200 /);
});

test('a client that ALLOW does not name is 403, with its address and the key', async (t) => {
  const origin = await startOrigin(t, { files: { '/*': 'a package' } });
  const conf = { ALLOW: '10.0.0.0/8 127.0.0.9' };
  const daemon = await startDaemon(t, { sources: [origin.url], conf });
  for (const target of ['/a.tar.gz', '/a/', '/.package-cache/health', '/%zz']) {
    const answer = await daemon.get(target);
    t.is(answer.status, 403, target);
    t.is(answer.header('cache-status'), 'package-cache; detail=forbidden', target);
    t.regex(String(answer.body), /"127\.0\.0\.1".* ALLOW/, target);
  }
  t.is((await daemon.get('/a.tar.gz', { method: 'POST' })).status, 403);
  t.is(origin.count(), 0);
  t.regex(await ask(daemon, '127.0.0.9'), /^HTTP\/1\.1 200 /);
});

test('a reload shuts out whom ALLOW names no more, on an open connection too', async (t) => {
  const origin = await startOrigin(t, { files: { '/*': 'a package' } });
  const daemon = await startDaemon(t, { sources: [origin.url], conf: { ALLOW: 'loopback' } });
  const client = connection({ port: daemon.port, t });
  t.is((await client.send({ target: '/a.tar.gz' })).status, 200);
  await daemon.configure({ ALLOW: '10.0.0.0/8' });
  daemon.signal('SIGHUP');
  await daemon.logged(/reloaded: ALLOW changed/);
  t.is((await client.send({ target: '/a.tar.gz' })).status, 403);
  t.is((await daemon.get('/a.tar.gz')).status, 403);
});

test('every request is in the access log but those for the health page', async (t) => {
  const origin = await startOrigin(t, { files: { '/*': 'a package' } });
  const accessLog = join(await tempDir(t), 'access.log');
  const conf = { ACCESS_LOG: accessLog };
  const daemon = await startDaemon(t, { sources: [origin.url], conf });
  await daemon.get('/.package-cache/health');
  await daemon.get('/a.tar.gz', { fields: [['User-Agent', 'a "quoted" \\ client']] });
  await daemon.logged(/stored "a\.tar\.gz"/);
  await daemon.get('/a.tar.gz', { method: 'HEAD' });
  await daemon.get('/a"b\\c.tar.gz?d', { method: 'POST' });
  await daemon.get('/a.tar.gz', { host: 'a b' });
  await daemon.get('/.package-cache/health', { method: 'HEAD' });
  await daemon.stop();
  const lines = (await readFile(accessLog, 'utf8')).trimEnd().split('\n');
  const plain = lines.map((line) => line.replace(/\[\S+Z\]/, '[time]').replace(/ \d+ms /, ' ms '));
  t.deepEqual(plain, [
    String.raw`127.0.0.1 [time] "GET /a.tar.gz HTTP/1.1" 200 9 ms "a \"quoted\" \\ client" "package-cache; fwd=uri-miss; stored"`,
    '127.0.0.1 [time] "HEAD /a.tar.gz HTTP/1.1" 200 0 ms "-" "package-cache; hit"',
    String.raw`127.0.0.1 [time] "POST /a\"b\\c.tar.gz?d HTTP/1.1" 405 0 ms "-" "method"`,
    '127.0.0.1 [time] "GET /a.tar.gz HTTP/1.1" 400 0 ms "-" "bad-request"',
  ]);
});
