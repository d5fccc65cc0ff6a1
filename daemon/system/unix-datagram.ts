import { errnoName, loadNative } from './koffi.ts';

/** From socket(2), send(2) and unix(7); the same on every Linux that Node runs on. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

/** What the address of a Unix socket holds on Linux, without its final NUL. */
const MAX_NAME_BYTES = 107;

/** Sends to one Unix datagram socket, for which Node has no call. */
export interface Datagrams {
  /**
   * Sends one datagram without ever waiting. The receiver is looked up each time, so that one which
   * was started anew gets the next.
   *
   * @returns the name of the errno when it could not be sent.
   */
  send(text: string): string | undefined;
  close(): void;
}

type Socket = (domain: number, type: number, protocol: number) => number;
type SendTo = (
  descriptor: number,
  data: Uint8Array,
  length: number,
  flags: number,
  address: Uint8Array,
  addressLength: number,
) => number | bigint;

/**
 * Prepares sending to a path, or to a name in the abstract name space when it begins with `@`.
 * Undefined without koffi.
 *
 * @throws Error when there can be no such address, or no further descriptor.
 */
export async function openDatagrams(path: string): Promise<Datagrams | undefined> {
  const address = addressOf(path);
  const native = await loadNative();
  if (native === undefined) return undefined;
  const socket = native.func<Socket>('int socket(int domain, int type, int protocol)');
  const close = native.func<(descriptor: number) => number>('int close(int descriptor)');
  const sendto = native.func<SendTo>(
    'intptr_t sendto(int descriptor, const uint8_t *data, size_t length, int flags, const uint8_t *address, uint32_t addressLength)',
  );
  const descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw new Error(errnoName(native.errno()));
  const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  return {
    send: (text) => {
      const data = Buffer.from(text);
      const sent = sendto(descriptor, data, data.length, flags, address, address.length);
      return Number(sent) < 0 ? errnoName(native.errno()) : undefined;
    },
    close: () => void close(descriptor),
  };
}

/** A sockaddr_un: the family in the machine's byte order, then the name. */
function addressOf(path: string): Uint8Array {
  if (!/^[/@]./.test(path)) throw new Error('it is neither an absolute path nor begins with @');
  const name = Buffer.from(path);
  if (name.length > MAX_NAME_BYTES) throw new Error(`it is longer than ${MAX_NAME_BYTES} bytes`);
  const family = new Uint8Array(Uint16Array.of(AF_UNIX).buffer);
  // An abstract name begins with a NUL and ends where the address does.
  if (path.startsWith('@')) return Buffer.concat([family, Uint8Array.of(0), name.subarray(1)]);
  return Buffer.concat([family, name, Uint8Array.of(0)]);
}
