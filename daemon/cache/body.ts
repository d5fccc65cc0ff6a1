import type { FileHandle } from 'node:fs/promises';

/**
 * What every answer is delivered from: a file, complete or still growing, read by position up to
 * the committed count. A hit is the case in which the count already equals the length.
 */
export interface Body {
  /** The length in bytes, as soon as it is known. */
  readonly length: number | undefined;
  /** How many bytes, counted from 0, may be read now. */
  available(): number;
  /**
   * Resolves once more than `offset` bytes are available or the body is whole.
   *
   * @throws the fill's failure, when the body will never grow that far.
   */
  whenBeyond(offset: number): Promise<void>;
  /** The open file; valid until `release`. */
  readonly handle: FileHandle;
  /** All of it, where it is at hand in memory. */
  readonly bytes?: Buffer | undefined;
  /** Gives the file back; every reader does so exactly once. */
  release(): void;
}

/** An open file that several readers share; it is closed when the last of them lets go. */
export class SharedHandle {
  readonly handle: FileHandle;
  #holders = 1;

  constructor(handle: FileHandle) {
    this.handle = handle;
  }

  /** Counts one holder more; call it only while holding the handle. */
  retain(): this {
    this.#holders += 1;
    return this;
  }

  /** Counts one holder less. */
  release(): void {
    this.#holders -= 1;
    // A close that fails has nobody to tell: the data was synced, or is of no use any more.
    if (this.#holders === 0) this.handle.close().catch(() => {});
  }
}

/** A whole file, and its bytes where they are at hand. */
export interface StoredFile {
  readonly file: SharedHandle;
  readonly size: number;
  readonly bytes?: Buffer;
}

/** The body of a stored entry. */
export function storedBody({ file, size, bytes }: StoredFile): Body {
  return {
    length: size,
    available: () => size,
    whenBeyond: () => Promise.resolve(),
    handle: file.handle,
    bytes,
    release: () => file.release(),
  };
}

/** A body that one writer makes grow while any number of readers follow it. */
export class GrowingBody {
  /** The length the source announced, or the one found at the end. */
  length: number | undefined;
  readonly #file: SharedHandle;
  #committed = 0;
  #failure: Error | undefined;
  #changed: PromiseWithResolvers<void> | undefined;

  constructor(file: SharedHandle, length: number | undefined) {
    this.#file = file;
    this.length = length;
  }

  /** How many bytes are in the file and may be read. */
  get committed(): number {
    return this.#committed;
  }

  /** The whole body is in the file. */
  get complete(): boolean {
    return this.length !== undefined && this.#committed >= this.length;
  }

  /** The first `bytes` bytes are in the file and may be read. */
  reach(bytes: number): void {
    if (bytes <= this.#committed) return;
    this.#committed = bytes;
    this.#wake();
  }

  /** The writer is done: what is in the file is the whole body. */
  finish(): void {
    this.length = this.#committed;
    this.#wake();
  }

  /** The body will never be whole; readers that need more than is there are told why. */
  fail(reason: Error): void {
    this.#failure ??= reason;
    this.#wake();
  }

  /** A reader's own view, which holds the file open until it is released. */
  reader(): Body {
    const file = this.#file.retain();
    const growing = this;
    return {
      get length() {
        return growing.length;
      },
      available: () => growing.#committed,
      whenBeyond: (offset) => growing.#whenBeyond(offset),
      handle: file.handle,
      release: () => file.release(),
    };
  }

  async #whenBeyond(offset: number): Promise<void> {
    while (this.#committed <= offset && !this.complete) {
      if (this.#failure !== undefined) throw this.#failure;
      this.#changed ??= Promise.withResolvers<void>();
      await this.#changed.promise;
    }
  }

  #wake(): void {
    const changed = this.#changed;
    this.#changed = undefined;
    changed?.resolve();
  }
}
