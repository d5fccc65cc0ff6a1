import type { FileHandle } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { type FilePiece, loadZeroCopy, type ZeroCopy } from '../system/zero-copy.ts';
import { type Delivery, type Piece, type Pump, reads, send } from './pump.ts';

/** Up to here a body goes out in one write, together with its head; cold bytes do so, too. */
const CHUNK = 64 * 1024;
/** So much is written to learn when a full socket has room: hundreds of slow clients hold one. */
const NUDGE = 4 * 1024;
/** So much is sent at most before others have their turn. */
const WINDOW = 512 * 1024;
/** The unit in which the kernel reads ahead: with both of its ends in memory, all of it is. */
const READ_AHEAD = 128 * 1024;

const { EAGAIN, EINTR } = constants.errno;

/** How bodies are delivered: by sendfile where it is wanted and the system has it. */
export async function chooseDelivery({ sendfile }: { readonly sendfile: boolean }) {
  const libc = sendfile ? await loadZeroCopy() : undefined;
  return libc === undefined ? reads : createSendfile(libc);
}

/**
 * Delivery by sendfile(2), which copies nothing and runs on the event loop: it is never asked for
 * bytes that the disk has yet to give. Those are read by the pool and written as usual.
 */
export function createSendfile(libc: ZeroCopy): Delivery {
  return {
    name: 'sendfile',
    open: (response, file) => new SendfilePump({ libc, response, file }),
  };
}

interface Ends {
  readonly libc: ZeroCopy;
  readonly response: ServerResponse;
  readonly file: FileHandle;
}

class SendfilePump implements Pump {
  readonly #libc: ZeroCopy;
  readonly #response: ServerResponse;
  readonly #file: FileHandle;
  /** The socket took less than it was given. */
  #full = false;
  /** This file or this socket has no sendfile: a write will tell what is wrong, if anything is. */
  #unable = false;

  constructor({ libc, response, file }: Ends) {
    this.#libc = libc;
    this.#response = response;
    this.#file = file;
  }

  async move(piece: Piece): Promise<number> {
    const sent = this.#full || this.#unable ? 0 : this.#send(piece);
    if (sent === 0) return await this.#write(piece);
    const isMore = sent < piece.end - piece.start;
    if (isMore && !this.#full) await setImmediate();
    return sent;
  }

  // In one step, without an await: a descriptor that was closed in between may be another client's.
  #send({ start, end }: Piece): number {
    // A small body is better written in one with its head.
    if (!this.#response.headersSent && end - start > CHUNK) this.#response.flushHeaders();
    const socket = readySocket(this.#response);
    const to = descriptorOf(socket);
    if (socket === undefined || to === undefined) return 0;
    const wanted = {
      descriptor: this.#file.fd,
      offset: start,
      bytes: Math.min(WINDOW, end - start),
    };
    const bytes = this.#countCached(wanted);
    if (bytes === 0) return 0;
    const sent = this.#libc.sendfile({ ...wanted, bytes }, to);
    this.#full = sent >= 0 ? sent < bytes : sent === -EAGAIN || sent === -EINTR;
    this.#unable = sent < 0 && !this.#full;
    return Math.max(0, sent);
  }

  /** How many bytes from the start on are in memory for certain. */
  #countCached({ descriptor, offset, bytes }: FilePiece): number {
    const probe = Buffer.allocUnsafe(1);
    const isCached = (at: number) =>
      this.#libc.readCached({ descriptor, offset: offset + at, bytes: 1 }, probe) === 1;
    if (!isCached(0)) return 0;
    let known = 0;
    while (known < bytes) {
      const next = Math.min(known + READ_AHEAD, bytes);
      if (!isCached(next - 1)) break;
      known = next;
    }
    return known;
  }

  async #write({ start, end }: Piece): Promise<number> {
    const size = Math.min(this.#full ? NUDGE : CHUNK, end - start);
    this.#full = false;
    const chunk = Buffer.allocUnsafeSlow(size);
    const read = await this.#read(chunk, start);
    if (read > 0) await send(this.#response, chunk.subarray(0, read));
    return read;
  }

  async #read(chunk: Buffer, offset: number): Promise<number> {
    const piece = { descriptor: this.#file.fd, offset, bytes: chunk.length };
    const cached = this.#libc.readCached(piece, chunk);
    if (cached > 0) return cached;
    return (await this.#file.read(chunk, 0, chunk.length, offset)).bytesRead;
  }
}

/** The connection, once it is this response's turn and all that was written is with the kernel. */
function readySocket(response: ServerResponse): Socket | undefined {
  const { socket, headersSent, chunkedEncoding, writableLength } = response;
  const ready = headersSent && !chunkedEncoding && writableLength === 0;
  return ready && socket !== null && !socket.destroyed ? socket : undefined;
}

// Node has no other way to ask for it; a handle that is gone, or has none, answers with none.
function descriptorOf(socket: Socket | undefined): number | undefined {
  const { _handle: handle } = (socket ?? {}) as { _handle?: { readonly fd?: number } | null };
  return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined;
}
