import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { SharedHandle } from './body.ts';
import { createFile } from './durable.ts';
import { GrowingBody } from './growing-body.ts';
import { skip, writeAll } from './write-all.ts';

/** Bytes received but not yet in the file: above this the source is asked to wait. */
const HIGH_WATER = 1024 * 1024;
/** A write costs the same for many bytes as for few: so many are gathered for one, */
const BATCH = 512 * 1024;
/** or what arrives within so many milliseconds of the one before. */
const PAUSE = 2;
/** So many bytes at most are written but not yet safe from a power cut. */
const SYNC_EVERY = 64 * 1024 * 1024;

/** How the writer of a partial speaks to whoever feeds it. */
export interface PartialEvents {
  /** What was queued is in the file: more is welcome. */
  drained(): void;
  /** The file cannot be written; nothing more will be. */
  failed(error: Error): void;
  /** A copy that is being compared is not the same file: this is the first byte that differs. */
  differs(offset: number): void;
}

/** Where the next bytes that are fed belong, and what is expected of them. */
export interface Feed {
  readonly events: PartialEvents;
  /** 0 to compare a copy with what is there, or the end of what is there to go on. */
  readonly position: number;
  /** The copy has another length: it is compared, and never added to the file. */
  readonly foreign?: boolean;
}

/** An unfinished file: one writer appends, and its body's readers follow. */
export class Partial {
  readonly path: string;
  readonly body: GrowingBody;
  /** Told when so many bytes are safe from a power cut. */
  onSynced: ((bytes: number) => void) | undefined;
  readonly #file: SharedHandle;
  #feed: Feed | undefined;
  #written: number;
  #synced: number;
  #syncing: Promise<void> | undefined;
  #position: number;
  #queue: Buffer[] = [];
  #queued = 0;
  #writing: Promise<void> | undefined;
  #wroteAt = Number.NEGATIVE_INFINITY;
  #enough: (() => void) | undefined;
  #hurried = false;
  #closed = false;

  private constructor(file: SharedHandle, { path, length, written = 0 }: PartialOptions) {
    this.path = path;
    this.#file = file;
    this.#written = written;
    this.#synced = written;
    this.#position = written;
    this.body = new GrowingBody(file, length);
  }

  /** Starts an empty partial; one that a failed fill left at the path is given up. */
  static async create(path: string, length: number | undefined): Promise<Partial> {
    return new Partial(new SharedHandle(await createFile(path)), { path, length });
  }

  /**
   * Goes on with a partial of an earlier fill, of which `written` bytes count. None of them is
   * handed out before `confirm`, or before an equal copy has passed them.
   */
  static async reopen(options: Required<PartialOptions>): Promise<Partial> {
    const handle = await open(options.path, constants.O_RDWR | constants.O_NOFOLLOW);
    try {
      const { size } = await handle.stat();
      if (size < options.written) throw new Error('it became shorter');
      await handle.truncate(options.written);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return new Partial(new SharedHandle(handle), options);
  }

  /** The file itself, while the fill holds it. */
  get handle(): FileHandle {
    return this.#file.handle;
  }

  /** How many bytes of the body are in the file. */
  get written(): number {
    return this.#written;
  }

  /** How many bytes of the body were fed or skipped so far, written or still queued. */
  get taken(): number {
    return this.#position + this.#queued;
  }

  /** What is in the file is proven to be the beginning of the body that goes on now. */
  confirm(): void {
    this.body.reach(this.#written);
  }

  /** Takes bytes from a new feed from now on; only after `flushed`. */
  attend(feed: Feed): void {
    this.#feed = feed;
    this.#position = feed.position;
  }

  /** Queues a chunk for the file; false asks the caller to wait for `drained`. */
  write(chunk: Buffer): boolean {
    if (this.#closed) return true;
    this.#queue.push(chunk);
    this.#queued += chunk.length;
    this.#writing ??= this.#drain();
    if (this.#queued >= BATCH) this.#enough?.();
    return this.#queued < HIGH_WATER;
  }

  /** Resolves when all that was queued is in the file, or will never be. */
  async flushed(): Promise<void> {
    if (this.#writing === undefined) return;
    this.#hurry();
    await this.#writing;
  }

  /** Makes what is written safe from a power cut. */
  async sync(): Promise<void> {
    await this.#syncing;
    const written = this.#written;
    if (written === this.#synced) return;
    await this.#file.handle.datasync();
    this.#synced = written;
    this.onSynced?.(written);
  }

  /** Lets go of the file, which lives on while it has readers. */
  release(): void {
    this.#closed = true;
    this.#hurry();
    this.#stop();
    this.#file.release();
  }

  #hurry(): void {
    this.#hurried = true;
    this.#enough?.();
  }

  // The first bytes are on their way to the clients at once; of what follows much goes in one call.
  async #gather(): Promise<void> {
    const wait = this.#wroteAt + PAUSE - performance.now();
    if (wait <= 0 || this.#queued >= BATCH || this.#hurried) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, wait);
    this.#enough = resolve;
    await promise;
    this.#enough = undefined;
    clearTimeout(timer);
  }

  async #drain(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        await this.#gather();
        const batch = this.#queue;
        const bytes = this.#queued;
        this.#queue = [];
        const differs = await this.#take(batch, bytes);
        if (differs !== undefined) {
          this.#stop();
          this.#feed?.events.differs(differs);
          return;
        }
        this.#wroteAt = performance.now();
        this.#queued -= bytes;
        this.#position += bytes;
        this.#written = Math.max(this.#written, this.#position);
        this.body.reach(this.#position);
        this.#syncInBackground();
        if (this.#queued < HIGH_WATER) this.#feed?.events.drained();
      }
    } catch (error) {
      this.#closed = true;
      this.#stop();
      this.#feed?.events.failed(error as Error);
    } finally {
      this.#writing = undefined;
      this.#hurried = false;
    }
  }

  #stop(): void {
    this.#queue = [];
    this.#queued = 0;
  }

  // Compares what is in the file already, appends the rest.
  async #take(batch: readonly Buffer[], bytes: number): Promise<number | undefined> {
    const known = Math.min(bytes, this.#written - this.#position);
    if (known > 0) {
      const differs = await this.#compare(Buffer.concat(batch).subarray(0, known));
      if (differs !== undefined) return differs;
    }
    if (known === bytes) return undefined;
    if (this.#feed?.foreign === true) return this.#written;
    const rest = known > 0 ? skip(batch, known) : batch;
    await writeAll({ handle: this.#file.handle, batch: rest, position: this.#position + known });
    return undefined;
  }

  async #compare(copy: Buffer): Promise<number | undefined> {
    const own = Buffer.allocUnsafe(copy.length);
    const { bytesRead } = await this.#file.handle.read(own, 0, own.length, this.#position);
    if (bytesRead === copy.length && own.equals(copy)) return undefined;
    let at = 0;
    while (at < bytesRead && own[at] === copy[at]) at += 1;
    return this.#position + at;
  }

  // Synced as it grows, so that the last sync, and a power cut, have little to make up for.
  #syncInBackground(): void {
    if (this.#syncing !== undefined || this.#written - this.#synced < SYNC_EVERY) return;
    const written = this.#written;
    this.#syncing = this.#file.handle
      .datasync()
      .then(() => {
        this.#synced = written;
        this.onSynced?.(written);
      })
      .catch((error: unknown) => {
        this.#closed = true;
        this.#feed?.events.failed(error as Error);
      })
      .finally(() => {
        this.#syncing = undefined;
      });
  }
}

/** What a partial is opened with. */
export interface PartialOptions {
  readonly path: string;
  /** Of the whole body, if it is known. */
  readonly length: number | undefined;
  readonly written?: number;
}
