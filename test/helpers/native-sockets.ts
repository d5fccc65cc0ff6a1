// Sockets that Node cannot make: bound but not accepted from, and datagrams of the Unix kind.

import { chmod } from 'node:fs/promises';
import type { ExecutionContext } from 'ava';
import { errnoName, loadNative, type NativeLibrary } from '../../daemon/system/koffi.ts';

const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;
const SOCK_CLOEXEC = 0o2000000;

type Numbers = (...values: readonly number[]) => number;
type WithAddress = (descriptor: number, address: Uint8Array, length: number) => number;

async function native(): Promise<NativeLibrary> {
  const library = await loadNative();
  if (library === undefined) throw new Error('koffi is missing: npm ci');
  return library;
}

async function bound(
  t: ExecutionContext,
  [domain, type]: readonly [domain: number, type: number],
  address: Uint8Array,
): Promise<number> {
  const libc = await native();
  const socket = libc.func<Numbers>('int socket(int domain, int type, int protocol)');
  const close = libc.func<Numbers>('int close(int descriptor)');
  const bind = libc.func<WithAddress>(
    'int bind(int descriptor, const uint8_t *address, uint32_t length)',
  );
  const descriptor = socket(domain, type | SOCK_CLOEXEC, 0);
  t.teardown(() => void close(descriptor));
  if (bind(descriptor, address, address.length) < 0) throw new Error(errnoName(libc.errno()));
  return descriptor;
}

function unixAddress(path: string): Buffer {
  const name = path.startsWith('@') ? `\0${path.slice(1)}` : `${path}\0`;
  return Buffer.concat([new Uint8Array(Uint16Array.of(AF_UNIX).buffer), Buffer.from(name)]);
}

/** A socket that listens, and whose connections nobody accepts until somebody else does. */
export interface HeldSocket {
  readonly descriptor: number;
  /** Of a TCP socket. */
  readonly port: number;
}

/** Holds a TCP socket on 127.0.0.1, as systemd does for a socket unit. */
export async function holdTcp(t: ExecutionContext, backlog = 128): Promise<HeldSocket> {
  const libc = await native();
  const address = Buffer.alloc(16);
  address.set(new Uint8Array(Uint16Array.of(AF_INET).buffer));
  address.set([127, 0, 0, 1], 4);
  const descriptor = await bound(t, [AF_INET, SOCK_STREAM], address);
  libc.func<Numbers>('int listen(int descriptor, int backlog)')(descriptor, backlog);
  const getsockname = libc.func<
    (descriptor: number, address: Uint8Array, length: Uint32Array) => number
  >('int getsockname(int descriptor, _Out_ uint8_t *address, _Inout_ uint32_t *length)');
  getsockname(descriptor, address, Uint32Array.of(address.length));
  return { descriptor, port: address.readUInt16BE(2) };
}

/** A UDP socket, on which nobody can listen. */
export async function holdUdp(t: ExecutionContext): Promise<number> {
  const address = Buffer.alloc(16);
  address.set(new Uint8Array(Uint16Array.of(AF_INET).buffer));
  return bound(t, [AF_INET, SOCK_DGRAM], address);
}

/** Holds a Unix socket; `datagrams` makes one that cannot listen. */
export async function holdUnix(
  t: ExecutionContext,
  path: string,
  kind: 'stream' | 'datagrams' = 'stream',
): Promise<number> {
  const type = kind === 'stream' ? SOCK_STREAM : SOCK_DGRAM;
  const descriptor = await bound(t, [AF_UNIX, type], unixAddress(path));
  if (kind === 'datagrams') return descriptor;
  const libc = await native();
  libc.func<Numbers>('int listen(int descriptor, int backlog)')(descriptor, 128);
  return descriptor;
}

/** Receives Unix datagrams, as service managers and log daemons do. */
export interface DatagramReceiver {
  /** All that came so far. */
  readonly messages: string[];
  /** The first message that matches, of those after the first `after` ones; waits for it. */
  find(pattern: RegExp, after?: number): Promise<string>;
}

type Receive = (descriptor: number, data: Uint8Array, length: number, flags: number) => number;

/** Binds a path, or a name that begins with `@`, and receives until the test ends. */
export async function receiveDatagrams(
  t: ExecutionContext,
  path: string,
): Promise<DatagramReceiver> {
  const descriptor = await bound(t, [AF_UNIX, SOCK_DGRAM], unixAddress(path));
  if (path.startsWith('/')) await chmod(path, 0o666);
  const recv = (await native()).func<Receive>(
    'intptr_t recv(int descriptor, _Out_ uint8_t *data, size_t length, int flags)',
  );
  const messages: string[] = [];
  let waiters: { pattern: RegExp; resolve: (message: string) => void }[] = [];
  const buffer = Buffer.alloc(65_536);
  const receive = () => {
    for (;;) {
      const length = Number(recv(descriptor, buffer, buffer.length, MSG_DONTWAIT));
      if (length < 0) return;
      const message = buffer.toString('utf8', 0, length);
      messages.push(message);
      for (const { pattern, resolve } of waiters) if (pattern.test(message)) resolve(message);
      waiters = waiters.filter(({ pattern }) => !pattern.test(message));
    }
  };
  // Node cannot wait for such a socket, and a thread that waits is one less for all the others.
  const timer = setInterval(receive, 10);
  t.teardown(() => clearInterval(timer));
  return {
    messages,
    find: (pattern, after = 0) => {
      const known = messages.slice(after).find((message) => pattern.test(message));
      if (known !== undefined) return Promise.resolve(known);
      return new Promise((resolve) => waiters.push({ pattern, resolve }));
    },
  };
}
