import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type Daemon, startDaemon, writeTree } from '../helpers/daemon.ts';
import { bodyOf, startOrigin } from '../helpers/origin.ts';

const seconds = { HEAD_TIMEOUT: '10s', STALL_TIMEOUT: '10s' };
/** What a shared machine may take over an answer at worst, in milliseconds. */
const bearable = 2000;
/** Until all that were slow are gone, in milliseconds: their time, and what it takes to close them. */
const patience = 25_000;

/** Connections from as many addresses of this machine as it takes. */
async function crowd(t: ExecutionContext, { port }: Daemon, size: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let at = 0; at < size; at += 1) {
    const from = `127.0.1.${Math.floor(at / 250) + 1}`;
    const socket = connect({ port, host: '127.0.0.1', localAddress: from });
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
    sockets.push(socket);
    // The kernel takes note of a few hundred at a time, and forgets the others in silence.
    if (at % 100 === 99) await once(socket, 'connect');
  }
  return sockets;
}

interface Service {
  readonly asked: number;
  /** Of the slowest answer, in milliseconds. */
  readonly slowest: number;
}

/** Asks for what is stored, and for what is not, until it is told to stop. */
async function useService(daemon: Daemon, done: { over: boolean }): Promise<Service> {
  const small = bodyOf('small', 20_000);
  let [asked, slowest] = [0, 0];
  for (; !done.over; asked += 1) {
    const name = asked % 2 === 0 ? '/small.tar.xz' : `/cold-${asked}.tar.xz`;
    const before = performance.now();
    const { status, body } = await daemon.get(name);
    slowest = Math.max(slowest, performance.now() - before);
    if (status !== 200 || !body.equals(small)) throw new Error(`${name}: ${status}`);
    await pause(50);
  }
  return { asked, slowest };
}

/** Serves others while a crowd is there, until the whole crowd is gone. */
async function outlast(t: ExecutionContext, daemon: Daemon, sockets: readonly Socket[]) {
  const done = { over: false };
  const serving = useService(daemon, done);
  const until = performance.now() + patience;
  const left = () => sockets.filter(({ closed }) => !closed).length;
  while (left() > 0 && performance.now() < until) await pause(100);
  done.over = true;
  const { asked, slowest } = await serving;
  t.is(left(), 0);
  t.log(`${asked} others were answered, the slowest in ${slowest.toFixed(0)} ms`);
  t.true(asked > 50);
  t.true(slowest < bearable, `${slowest} ms`);
}

async function openDaemon(t: ExecutionContext): Promise<Daemon> {
  const origin = await startOrigin(t, { files: { '*': { body: bodyOf('small', 20_000) } } });
  const daemon = await startDaemon(t, { sources: [origin.url], conf: seconds });
  await writeTree(daemon.cacheDir, {
    'small.tar.xz': bodyOf('small', 20_000),
    'large.tar.xz': bodyOf('large', 16 * 1024 ** 2),
  });
  return daemon;
}

interface Crowd {
  readonly size: number;
  /** What all of them do again and again. */
  readonly act: (socket: Socket, time: number) => void;
}

/** Lets a crowd come twice: what the first one leaves is what its like ever needs. */
async function survive(t: ExecutionContext, { size, act }: Crowd): Promise<void> {
  t.timeout(180_000);
  const daemon = await openDaemon(t);
  const come = async () => {
    const sockets = await crowd(t, daemon, size);
    let time = 0;
    const acting = setInterval(() => {
      for (const socket of sockets) if (socket.writable) act(socket, time);
      time += 1;
    }, 500);
    await outlast(t, daemon, sockets).finally(() => clearInterval(acting));
    const open = (await daemon.openFiles()).filter((name) => name.startsWith('socket')).length;
    return { open, memory: await daemon.rssKb() };
  };
  const first = await come();
  const second = await come();
  const grown = second.memory - first.memory;
  t.log(`${second.open} sockets are open, and ${grown} kB more taken than after the first time`);
  // Those that listen, and some to the source.
  t.true(second.open < 20, `${second.open} sockets`);
  t.true(grown < 48 * 1024, `${grown} kB`);
}

test('two thousand heads that trickle in leave service to others, and are gone in time', async (t) => {
  const head = `GET /small.tar.xz HTTP/1.1\r\nHost: cache\r\nX: ${'x'.repeat(5000)}`;
  await survive(t, { size: 2000, act: (socket, time) => socket.write(head.charAt(time)) });
});

test('two thousand connections that say nothing do so, too', async (t) => {
  await survive(t, { size: 2000, act: (socket) => socket.resume() });
});

test('three hundred clients that stop reading do so, too, whatever else they send', async (t) => {
  const request = 'GET /large.tar.xz HTTP/1.1\r\nHost: cache\r\n\r\n';
  const act = (socket: Socket, time: number) => socket.pause().write(time === 0 ? request : '\r\n');
  await survive(t, { size: 300, act });
});
