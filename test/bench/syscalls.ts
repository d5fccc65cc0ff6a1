import { arch } from 'node:process';
import koffi from 'koffi';

/**
 * What a load generator needs of Linux and Node does not offer: receiving without copying, waiting
 * on many sockets at once, and the processor clock of another process.
 */
const libc = koffi.load(null);
const socketCall = libc.func('int socket(int domain, int type, int protocol)');
const connectCall = libc.func('int connect(int socket, const void *address, uint length)');
const sendCall = libc.func('int64 send(int socket, const void *bytes, size_t length, int flags)');
const recvCall = libc.func('int64 recv(int socket, void *bytes, size_t length, int flags)');
const pollCall = libc.func('int poll(void *list, ulong count, int milliseconds)');
const closeCall = libc.func('int close(int descriptor)');
const setOptionCall = libc.func(
  'int setsockopt(int socket, int level, int name, const void *value, uint length)',
);
const clockCall = libc.func('int clock_gettime(int clock, void *time)');

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const IPPROTO_TCP = 6;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const EAGAIN = 11;
const ECONNREFUSED = 111;

/** One of setsockopt(2), with the numbers that most machines share. */
export type SocketOption = readonly [level: number, name: number];

export const TCP_NODELAY: SocketOption = [IPPROTO_TCP, 1];
/** The largest segment; Ethernet's is 1448. */
export const TCP_MAXSEG: SocketOption = [IPPROTO_TCP, 2];
/** The kernel's receive buffer in bytes; the kernel doubles it. */
export const SO_RCVBUF: SocketOption = [1, 8];

/** Of poll(2). */
export const POLLIN = 1;

/** A TCP connection to 127.0.0.1, or undefined when nobody listens. */
export function connectTo(
  port: number,
  options: readonly (readonly [option: SocketOption, value: number])[] = [],
): number | undefined {
  const socket = check('socket', socketCall(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  for (const [[level, name], value] of options) {
    check('setsockopt', setOptionCall(socket, level, name, new Int32Array([value]), 4));
  }
  const address = Buffer.alloc(16);
  // The family is in the machine's own order, which is little-endian wherever Node runs.
  address.writeUInt16LE(AF_INET, 0);
  address.writeUInt16BE(port, 2);
  address.set([127, 0, 0, 1], 4);
  if (connectCall(socket, address, address.length) === 0) return socket;
  const errno = koffi.errno();
  closeSocket(socket);
  if (errno === ECONNREFUSED) return undefined;
  throw new Error(`Cannot connect to port ${port}: errno ${errno}`);
}

/** Sends a request, which always fits into an empty send buffer. */
export function sendAll(socket: number, bytes: Buffer): void {
  const sent = check('send', Number(sendCall(socket, bytes, bytes.length, MSG_NOSIGNAL)));
  if (sent !== bytes.length) throw new Error(`Cannot send a request: ${sent} bytes went out`);
}

/** Receives what is there: the number of bytes, 0 at the end, or undefined when nothing is there. */
export function receive(socket: number, into: Buffer): number | undefined {
  return received(recvCall(socket, into, into.length, MSG_DONTWAIT));
}

/** Never written: with MSG_TRUNC the kernel only looks whether the addresses are the program's. */
const nowhere = Buffer.allocUnsafeSlow(16 * 1024 ** 2);

/**
 * Receives at most `length` bytes and throws them away in the kernel, uncopied (tcp(7), MSG_TRUNC),
 * so that a client costs far less than any server.
 */
export function discard(socket: number, length: number): number | undefined {
  const most = Math.min(length, nowhere.length);
  return received(recvCall(socket, nowhere, most, MSG_DONTWAIT | MSG_TRUNC));
}

/** Waits at most so long until descriptors of an array of `struct pollfd` are ready: how many. */
export function poll(list: Int32Array, count: number, milliseconds: number): number {
  return check('poll', pollCall(list, count, milliseconds));
}

/** Closes a socket. */
export function closeSocket(socket: number): void {
  closeCall(socket);
}

const time = new BigInt64Array(2);

/**
 * Processor time of a process so far in seconds, of all its threads, those that have ended too, to
 * the nanosecond; undefined once it is gone.
 */
export function processorSeconds(pid: number): number | undefined {
  // As clock_getcpuclockid(3) computes it: the process in the upper bits, CPUCLOCK_SCHED below.
  if (clockCall((~pid << 3) | 2, time) !== 0) return undefined;
  return Number(time[0]) + Number(time[1]) / 1e9;
}

function received(result: number | bigint): number | undefined {
  const bytes = Number(result);
  if (bytes >= 0) return bytes;
  const errno = koffi.errno();
  if (errno === EAGAIN) return undefined;
  throw new Error(`Cannot receive: errno ${errno}`);
}

function check(call: string, result: number): number {
  if (result < 0) throw new Error(`Cannot ${call}: errno ${koffi.errno()} on ${arch}`);
  return result;
}
