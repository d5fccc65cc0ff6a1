import { loadNative, type NativeLibrary } from './koffi.ts';

/** What it takes to send files without a copy and without ever waiting for the disk. */
export interface ZeroCopy {
  /** sendfile(2) to a socket that does not block: bytes sent, or the errno, negated. */
  sendfile(piece: FilePiece, socket: number): number;
  /**
   * preadv2(2) with RWF_NOWAIT: bytes read of those that are in memory, or the errno, negated;
   * -EAGAIN where the disk would have to be waited for.
   */
  readCached(piece: FilePiece, into: Buffer): number;
}

/** Some bytes of an open file. */
export interface FilePiece {
  readonly descriptor: number;
  readonly offset: number;
  readonly bytes: number;
}

const RWF_NOWAIT = 8;

/** Loads it; undefined without koffi or where the system lacks one of the calls. */
export async function loadZeroCopy(): Promise<ZeroCopy | undefined> {
  const native = await loadNative();
  // The types below have these sizes on Linux with 64 bits alone.
  if (native === undefined || process.platform !== 'linux' || native.sizeof('size_t') !== 8) {
    return undefined;
  }
  try {
    return bind(native);
  } catch {
    // musl has preadv2 since 1.2.5.
    return undefined;
  }
}

function bind(native: NativeLibrary): ZeroCopy {
  const sendfile = native.func<
    (to: number, from: number, offset: BigInt64Array, bytes: number) => number
  >('intptr_t sendfile(int to, int from, void *offset, size_t bytes)');
  const preadv2 = native.func<
    (
      descriptor: number,
      vector: BigUint64Array,
      count: number,
      offset: number,
      flags: number,
    ) => number
  >('intptr_t preadv2(int descriptor, void *vector, int count, int64_t offset, int flags)');
  const position = new BigInt64Array(1);
  // One struct iovec: an address and a length.
  const vector = new BigUint64Array(2);
  return {
    sendfile({ descriptor, offset, bytes }, socket) {
      position[0] = BigInt(offset);
      const sent = sendfile(socket, descriptor, position, bytes);
      return sent < 0 ? -native.errno() : sent;
    },
    readCached({ descriptor, offset, bytes }, into) {
      vector[0] = native.address(into);
      vector[1] = BigInt(Math.min(bytes, into.length));
      const read = preadv2(descriptor, vector, 1, offset, RWF_NOWAIT);
      return read < 0 ? -native.errno() : read;
    },
  };
}
