import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { GrowingBody, SharedHandle } from './body.ts';
import { removeFile } from './durable.ts';

/** Bytes received but not yet in the file: above this the source is asked to wait. */
const HIGH_WATER = 1024 * 1024;

/** How the writer of a partial speaks to whoever feeds it. */
export interface PartialEvents {
  /** What was queued is in the file: more is welcome. */
  drained(): void;
  /** The file cannot be written; nothing more will be. */
  failed(error: Error): void;
}

/** An unfinished file: one writer appends, and its body's readers follow. */
export class Partial {
  readonly path: string;
  readonly body: GrowingBody;
  readonly #file: SharedHandle;
  #events: PartialEvents | undefined;
  #queue: Buffer[] = [];
  #queued = 0;
  #writing: Promise<void> | undefined;
  #closed = false;

  private constructor(path: string, file: SharedHandle, length: number | undefined) {
    this.path = path;
    this.#file = file;
    this.body = new GrowingBody(file, length);
  }

  /** Starts an empty partial; one that a failed fill left at the path is given up. */
  static async create(path: string, length: number | undefined): Promise<Partial> {
    // The old file may still have readers: they keep the inode, the new fill gets its own.
    await removeFile(path);
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const handle = await open(path, flags, 0o644);
    return new Partial(path, new SharedHandle(handle), length);
  }

  /** The file itself, while the fill holds it. */
  get handle(): FileHandle {
    return this.#file.handle;
  }

  /** How many bytes were taken in so far, written or still queued. */
  get taken(): number {
    return this.body.committed + this.#queued;
  }

  /** Whoever feeds the file from now on. */
  attend(events: PartialEvents): void {
    this.#events = events;
  }

  /** Queues a chunk for the file; false asks the caller to wait for `drained`. */
  write(chunk: Buffer): boolean {
    if (this.#closed) return true;
    this.#queue.push(chunk);
    this.#queued += chunk.length;
    this.#writing ??= this.#drain();
    return this.#queued < HIGH_WATER;
  }

  /** Resolves when all that was queued is in the file, or will never be. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  /** Lets go of the file, which lives on while it has readers. */
  release(): void {
    this.#closed = true;
    this.#queue = [];
    this.#file.release();
  }

  // Everything that arrived while the last write was under way goes out in one call.
  async #drain(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const batch = this.#queue;
        const bytes = this.#queued;
        this.#queue = [];
        await writeAll({ handle: this.#file.handle, batch, position: this.body.committed });
        this.#queued -= bytes;
        this.body.advance(bytes);
        if (this.#queued < HIGH_WATER) this.#events?.drained();
      }
    } catch (error) {
      this.#closed = true;
      this.#queue = [];
      this.#events?.failed(error as Error);
    } finally {
      this.#writing = undefined;
    }
  }
}

interface Write {
  readonly handle: FileHandle;
  readonly batch: Buffer[];
  readonly position: number;
}

// writev(2) may write less than it was given, on a disk that is almost full above all.
async function writeAll({ handle, batch, position }: Write): Promise<void> {
  let rest = batch;
  let at = position;
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest, at);
    at += bytesWritten;
    rest = skip(rest, bytesWritten);
  }
}

function skip(batch: readonly Buffer[], bytes: number): Buffer[] {
  let left = bytes;
  const rest: Buffer[] = [];
  for (const chunk of batch) {
    if (left < chunk.length) rest.push(left > 0 ? chunk.subarray(left) : chunk);
    left = Math.max(0, left - chunk.length);
  }
  return rest;
}
