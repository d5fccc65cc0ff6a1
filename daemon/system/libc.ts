/** The few libc functions that Node lacks. */
export interface Libc {
  /** flock(2): 0, or the errno when it fails. */
  flock(descriptor: number, operation: number): number;
  /** Where the system has them. */
  readonly zeroCopy: ZeroCopy | undefined;
}

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

/** flock(2) operations. */
export const LOCK_EX = 2;
export const LOCK_NB = 4;

const RWF_NOWAIT = 8;

/**
 * Loads libc through koffi, the one optional native dependency; undefined where it is not
 * installed or has no build for this machine, and the caller's fallback serves.
 */
export async function loadLibc(): Promise<Libc | undefined> {
  try {
    const { default: koffi } = await import('koffi');
    const library = koffi.load(null);
    const flock = library.func('int flock(int descriptor, int operation)');
    return {
      flock: (descriptor, operation) => (flock(descriptor, operation) === 0 ? 0 : koffi.errno()),
      zeroCopy: loadZeroCopy(koffi, library),
    };
  } catch {
    return undefined;
  }
}

type Koffi = typeof import('koffi').default;

// Only where the types below have these sizes; musl has preadv2 since 1.2.5.
function loadZeroCopy(koffi: Koffi, library: ReturnType<Koffi['load']>): ZeroCopy | undefined {
  if (process.platform !== 'linux' || koffi.sizeof('size_t') !== 8) return undefined;
  try {
    const sendfile = library.func(
      'intptr_t sendfile(int to, int from, void *offset, size_t bytes)',
    );
    const preadv2 = library.func(
      'intptr_t preadv2(int descriptor, void *vector, int count, int64_t offset, int flags)',
    );
    const position = new BigInt64Array(1);
    // One struct iovec: an address and a length.
    const vector = new BigUint64Array(2);
    return {
      sendfile({ descriptor, offset, bytes }, socket) {
        position[0] = BigInt(offset);
        const sent = sendfile(socket, descriptor, position, bytes);
        return sent < 0 ? -koffi.errno() : sent;
      },
      readCached({ descriptor, offset, bytes }, into) {
        vector[0] = koffi.address(into);
        vector[1] = BigInt(Math.min(bytes, into.length));
        const read = preadv2(descriptor, vector, 1, offset, RWF_NOWAIT);
        return read < 0 ? -koffi.errno() : read;
      },
    };
  } catch {
    return undefined;
  }
}
