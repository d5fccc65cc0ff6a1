import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { launchBare, runBare } from '../helpers/bare-daemon.ts';
import { request } from '../helpers/client.ts';
import { startDaemon, tempDir, writeTree } from '../helpers/daemon.ts';
import { startOrigin } from '../helpers/origin.ts';

const page = '/.package-cache/health';
const health = `GET ${page} HTTP/1.1\r\nHost: cache\r\n\r\n`;

/** Connections from several addresses of this machine, which read nothing. */
async function crowd(t: ExecutionContext, port: number, size: number): Promise<Socket[]> {
  const sockets = Array.from({ length: size }, (_, at) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.3.${(at % 40) + 1}` });
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
    return socket.pause();
  });
  // One that is refused may be gone before it is there.
  await Promise.all(sockets.map((socket) => heard(socket, 'connect', 'close')));
  return sockets;
}

/** Waits for one of these events; a connection that breaks is no error here. */
function heard(socket: Socket, ...events: string[]): Promise<void> {
  return new Promise((resolve) => {
    for (const event of events) socket.once(event, () => resolve());
  });
}

test('hundreds of refused connections that do not read hold next to nothing', async (t) => {
  const daemon = await startDaemon(t, { conf: { MAX_CONNECTIONS: '1' } });
  const held = connect(daemon.port, '127.0.0.1');
  t.teardown(() => held.destroy());
  held.write(health);
  await once(held, 'data');
  const before = (await daemon.openFiles()).length;
  const refused = await crowd(t, daemon.port, 400);
  // What they ask for is not even looked at.
  for (const socket of refused) socket.write(health.repeat(1000));
  held.write(health);
  await once(held, 'data');
  t.true((await daemon.openFiles()).length <= before + 70);
});

test('who sends hundreds of requests ahead is reset, and a daemon with little memory lives on', async (t) => {
  const origin = await startOrigin(t, { silent: true });
  const daemon = launchBare(t, {
    cacheDir: join(await tempDir(t), 'cache'),
    node: ['--max-old-space-size=256'],
    args: ['--source', origin.url],
  });
  const port = await daemon.port;
  const greedy = await crowd(t, port, 200);
  const gone = greedy.map((socket) => heard(socket.resume(), 'close'));
  // 64 kB in all: as much as Node reads at a time.
  for (const socket of greedy) socket.write('GET /x HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2400));
  await Promise.all(gone);
  t.is((await request({ port, target: page })).status, 200);
});

test('who sends sixty requests ahead is answered', async (t) => {
  const daemon = await startDaemon(t);
  const socket = connect(daemon.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.write(health.repeat(60));
  let answers = 0;
  for await (const piece of socket) {
    answers += String(piece).split('HTTP/1.1 200 OK').length - 1;
    if (answers === 60) break;
  }
  t.is(answers, 60);
});

/** A shell that has few descriptors, and becomes the daemon. */
const few = ['sh', '-c', 'ulimit -n 512; exec "$@"', 'sh'];
const ok = Buffer.from('HTTP/1.1 200');
/** As many connections as these allow. */
const possible = 32;

/** What a connection is told first, if anything; nothing more is read for now. */
async function firstWords(socket: Socket): Promise<Buffer> {
  let piece = Buffer.alloc(0);
  socket.once('data', (first) => {
    piece = first;
    socket.pause();
  });
  socket.resume();
  if (!socket.closed) await heard(socket, 'pause', 'close');
  return piece;
}

/** Counts what comes until it is more than so many bytes, or the connection ends. */
async function readBeyond(socket: Socket, size: number): Promise<number> {
  let bytes = 0;
  socket.resume().on('data', (piece) => {
    bytes += piece.length;
    if (bytes > size) socket.destroy();
  });
  if (!socket.closed) await heard(socket, 'close');
  return bytes;
}

test('with too few descriptors there are fewer connections, each is served, and the others are told', async (t) => {
  const cacheDir = join(await tempDir(t), 'cache');
  // More than the kernel takes for a client that does not read.
  const size = 16 * 1024 ** 2;
  await writeTree(cacheDir, { 'large.tar.xz': Buffer.alloc(size, 'x') });
  const daemon = launchBare(t, { cacheDir, through: few });
  const port = await daemon.port;
  await daemon.log.find(
    /warn: Cannot keep to MAX_CONNECTIONS "4096": with 512 open files 32 connections are let in; raise that limit to 16384 /,
  );
  const sockets = await crowd(t, port, 200);
  for (const socket of sockets) socket.write('GET /large.tar.xz HTTP/1.1\r\nHost: a\r\n\r\n');
  // Nobody makes room before everybody has been told.
  const words = await Promise.all(sockets.map(firstWords));
  const served = sockets.filter((_, at) => words[at]?.subarray(0, 12).equals(ok));
  t.is(served.length, possible);
  const others = words.map((piece) => String(piece.subarray(0, 12)));
  t.deepEqual(
    [...new Set(others)].filter((head) => !/^(HTTP\/1\.1 (200|503))?$/.test(head)),
    [],
  );
  for (const bytes of await Promise.all(served.map((socket) => readBeyond(socket, size / 2)))) {
    t.true(bytes > size / 2);
  }
  t.is((await request({ port, target: page })).status, 200);
  t.false(daemon.log.lines().some((line) => /EMFILE|Cannot accept/.test(line)));
});

test('a check of the configuration says so, too', async (t) => {
  const cacheDir = join(await tempDir(t), 'cache');
  const { code, stderr } = await runBare({ cacheDir, through: few, args: ['--check-config'] });
  t.is(code, 0);
  t.regex(stderr, /^package-cache: warning: Cannot keep to MAX_CONNECTIONS "4096": /m);
});
