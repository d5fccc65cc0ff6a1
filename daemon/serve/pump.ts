import type { FileHandle } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';

/** How bodies get from their files to the clients; chosen once, when the daemon starts. */
export interface Delivery {
  /** `sendfile` needs koffi and Linux; `reads` works everywhere. */
  readonly name: 'sendfile' | 'reads';
  /** A pump from a file to a response. */
  open(response: ServerResponse, file: FileHandle): Pump;
}

/** Moves pieces of one file to one client, one after the other. */
export interface Pump {
  /**
   * Sends bytes from `start` on, fewer than up to `end` if that is what fits, and waits until the
   * kernel has them or the client is gone.
   *
   * @returns how many; 0 when the file has none there.
   */
  move(piece: Piece): Promise<number>;
}

/** Bytes that are in the file by now. */
export interface Piece {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** A client costs at most one chunk of this many bytes, however slow it is. */
const CHUNK = 64 * 1024;

/** Pooled positional reads, through the response's own stream. */
export const reads: Delivery = {
  name: 'reads',
  open(response, file) {
    let chunk: Buffer | undefined;
    return {
      async move({ start, end }) {
        const wanted = Math.min(CHUNK, end - start);
        // The first bytes of a download may be few, and many follow.
        if (chunk === undefined || chunk.length < wanted) chunk = Buffer.allocUnsafeSlow(wanted);
        const { bytesRead } = await file.read(chunk, 0, wanted, start);
        if (bytesRead > 0) await send(response, chunk.subarray(0, bytesRead));
        return bytesRead;
      },
    };
  },
};

/** Sends bytes and waits until they are with the kernel, or the client is gone. */
export function send(response: ServerResponse, bytes: Buffer | string): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('close', done);
      resolve();
    };
    // A response that waits behind another on its connection is not told of its end by its write.
    response.once('close', done);
    response.write(bytes, done);
  });
}
