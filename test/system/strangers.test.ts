import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { startDaemon } from '../helpers/daemon.ts';
import { share } from '../helpers/share.ts';

const page = 'GET /.package-cache/health HTTP/1.1\r\nHost: cache\r\n\r\n';

const scene = share(test, (t) => startDaemon(t, { conf: { ALLOW: '127.0.0.1' } }));

function dial(t: ExecutionContext, port: number, from: string): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  return socket;
}

/** Waits until a connection is there, or was refused. */
function connected(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['connect', 'close']) socket.once(event, () => resolve());
  });
}

/** All that comes until the daemon closes the connection. */
async function rest(socket: Socket): Promise<string> {
  const pieces: Buffer[] = [];
  socket.on('data', (piece) => pieces.push(piece));
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return String(Buffer.concat(pieces));
}

const rude: readonly (readonly [what: string, bytes: string])[] = [
  ['garbage', 'garbage\r\n\r\n'],
  ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['an overlong head', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
  ['a method that nobody knows', 'BREW / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['half a head', 'GET / HTTP/1.1\r\nHost:'],
  ['nothing', ''],
];

for (const [at, [what, bytes]] of rude.entries()) {
  test(`${what} from an address that ALLOW does not name is closed without a word`, async (t) => {
    const socket = dial(t, scene().port, `127.0.1.${at + 1}`);
    socket.write(bytes);
    const before = performance.now();
    t.is(await rest(socket), '');
    // Not HEAD_TIMEOUT, which others have.
    t.true(performance.now() - before < 15_000);
  });
}

test('a good request from such an address gets its 403, and nothing behind it an answer', async (t) => {
  const socket = dial(t, scene().port, '127.0.1.100');
  socket.write(`${page}${page}garbage`);
  const answer = await rest(socket);
  t.regex(answer, /^HTTP\/1\.1 403 /);
  t.regex(answer, /\r\nConnection: close\r\n/i);
  t.regex(answer, /"127\.0\.1\.100".* ALLOW/);
  t.is(answer.split('HTTP/1.1 ').length, 2);
});

test('a good request with a body that never comes gets its 403, and is closed', async (t) => {
  const socket = dial(t, scene().port, '127.0.1.101');
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n');
  t.regex(await rest(socket), /^HTTP\/1\.1 403 /);
});

test('hundreds of connections from such addresses take nobody a place, and are gone soon', async (t) => {
  const conf = { ALLOW: '127.0.0.1', MAX_CONNECTIONS: '1' };
  const daemon = await startDaemon(t, { conf });
  const before = (await daemon.openFiles()).length;
  const strangers = Array.from({ length: 300 }, (_, at) =>
    dial(t, daemon.port, `127.0.2.${(at % 50) + 1}`),
  );
  await Promise.all(strangers.map(connected));
  t.is((await daemon.get('/.package-cache/health')).status, 200);
  t.true((await daemon.openFiles()).length <= before + 20);
  const began = performance.now();
  for (const answer of await Promise.all(strangers.map(rest))) t.is(answer, '');
  t.true(performance.now() - began < 15_000);
  t.is((await daemon.get('/.package-cache/health')).status, 200);
});

test('whom a reload shuts out gets no answer to anything but a request any more', async (t) => {
  const daemon = await startDaemon(t, { conf: { ALLOW: 'loopback' } });
  const sockets = [dial(t, daemon.port, '127.0.1.1'), dial(t, daemon.port, '127.0.1.2')];
  for (const socket of sockets) {
    socket.write(page);
    await once(socket, 'data');
  }
  const [polite, other] = sockets.map(rest);
  await daemon.configure({ ALLOW: '127.0.0.1' });
  daemon.signal('SIGHUP');
  await daemon.logged(/reloaded: ALLOW changed/);
  sockets[0]?.write(page);
  sockets[1]?.write('garbage\r\n\r\n');
  t.regex((await polite) ?? '', /^HTTP\/1\.1 403 /);
  t.is(await other, '');
});

test('whom a reload lets in keeps the connection that it has', async (t) => {
  const daemon = await startDaemon(t, { conf: { ALLOW: '127.0.0.1', HEAD_TIMEOUT: '1h' } });
  const socket = dial(t, daemon.port, '127.0.1.1');
  await once(socket, 'connect');
  socket.write(page.slice(0, 20));
  await daemon.configure({ ALLOW: 'loopback', HEAD_TIMEOUT: '1h' });
  daemon.signal('SIGHUP');
  await daemon.logged(/reloaded: ALLOW changed/);
  // Longer than strangers have.
  await new Promise((resolve) => setTimeout(resolve, 6000));
  socket.write(page.slice(20));
  const [answer] = await once(socket, 'data');
  t.regex(String(answer), /^HTTP\/1\.1 200 /);
});
