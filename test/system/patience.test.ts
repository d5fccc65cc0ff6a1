import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { connection, open } from '../helpers/client.ts';
import { startDaemon, writeTree } from '../helpers/daemon.ts';
import { bodyOf } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';

const page = 'GET /.package-cache/health HTTP/1.1\r\nHost: cache\r\n\r\n';
/** More than the kernel keeps of a connection. */
const body = bodyOf('large', 32 * 1024 ** 2);
const target = '/large.tar.xz';

const scene = share(test, async (t) => {
  const conf = { MAX_HEAD_SIZE: '2K', HEAD_TIMEOUT: '1s', IDLE_TIMEOUT: '1s', STALL_TIMEOUT: '3s' };
  const daemons = {
    yes: await startDaemon(t, { conf: { ...conf, SENDFILE: 'yes' } }),
    no: await startDaemon(t, { conf: { ...conf, SENDFILE: 'no' } }),
  };
  for (const { cacheDir } of Object.values(daemons)) {
    await writeTree(cacheDir, { [target.slice(1)]: body });
  }
  return { daemons, port: daemons.yes.port };
});

function dial(t: ExecutionContext, bytes = ''): Socket {
  const socket = connect(scene().port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.write(bytes);
  return socket;
}

/** All that comes until the daemon closes the connection. */
async function rest(socket: Socket): Promise<string> {
  const pieces: Buffer[] = [];
  socket.on('data', (piece) => pieces.push(piece));
  await once(socket, 'close');
  return String(Buffer.concat(pieces));
}

/** Sends empty lines, which no request begins with, until the connection is gone. */
async function trickle(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  while (!socket.destroyed) {
    socket.write('\r\n');
    await pause(200);
  }
}

test('a head longer than MAX_HEAD_SIZE is 431, and one that fits is answered', async (t) => {
  const { daemons } = scene();
  const get = (bytes: number) =>
    daemons.yes.get('/.package-cache/health', { fields: [['X', 'x'.repeat(bytes)]] });
  t.is((await get(1800)).status, 200);
  t.is((await get(2100)).status, 431);
});

for (const [what, bytes] of [
  ['nothing', ''],
  ['half a line', 'GET /x'],
  ['half a head', 'GET /x HTTP/1.1\r\nHost: a\r\n'],
]) {
  test(`a client that sends ${what} within HEAD_TIMEOUT gets 408`, async (t) => {
    t.regex(await rest(dial(t, bytes)), /^HTTP\/1\.1 408 /);
  });
}

test('a head that comes byte by byte is 408, too', async (t) => {
  const socket = dial(t);
  socket.on('error', () => {});
  const answer = rest(socket);
  for (let at = 0; !socket.destroyed; at += 1) {
    socket.write(page.charAt(at % 20));
    await pause(100);
  }
  t.regex(await answer, /^HTTP\/1\.1 408 /);
});

test('a connection without a request is closed after IDLE_TIMEOUT, and told so before', async (t) => {
  const line = connection({ port: scene().port, t });
  const answer = await line.send({ target: '/.package-cache/health' });
  t.is(answer.header('keep-alive'), 'timeout=1');
  t.is(await line.closed, 'fin');
});

test('empty lines keep no connection alive', async (t) => {
  const socket = dial(t, page);
  await once(socket, 'data');
  await trickle(socket);
  t.pass();
});

for (const sendfile of ['yes', 'no'] as const) {
  test(`a client that takes no byte is reset, whatever it sends, with SENDFILE=${sendfile}`, async (t) => {
    const { port } = scene().daemons[sendfile];
    const socket = connect(port, '127.0.0.1').pause();
    t.teardown(() => socket.destroy());
    const broken = once(socket, 'error');
    socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const sending = setInterval(() => socket.write(page), 500);
    const [error] = await broken.finally(() => clearInterval(sending));
    t.true(['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? ''));
  });

  test(`a client that takes its time is served to the end, with SENDFILE=${sendfile}`, async (t) => {
    const stream = open({ port: scene().daemons[sendfile].port, target, t });
    for (let at = 0; at < 8 * 1024 ** 2; at += 1024 ** 2) {
      t.true((await stream.read(1024 ** 2)).equals(body.subarray(at, at + 1024 ** 2)));
      await pause(700);
    }
    t.true((await stream.rest()).body.equals(body.subarray(8 * 1024 ** 2)));
  });
}

test('a reload changes how long is waited, on connections that are open too', async (t) => {
  const daemon = await startDaemon(t, { conf: { HEAD_TIMEOUT: '1h', IDLE_TIMEOUT: '1h' } });
  const socket = connect(daemon.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.write(`${page}GET /x`);
  await once(socket, 'data');
  await daemon.configure({ HEAD_TIMEOUT: '1s', IDLE_TIMEOUT: '1s' });
  daemon.signal('SIGHUP');
  t.regex(await rest(socket), /^HTTP\/1\.1 408 /);
});
