import type { FileHandle } from 'node:fs/promises';

/**
 * What every answer is delivered from: a file, complete or still growing, read by position up to
 * the committed count. A hit is the case in which the count already equals the length.
 */
export interface Body {
  /** The length in bytes, as soon as it is known. */
  readonly length: number | undefined;
  /**
   * How many bytes, counted from 0, may be read now.
   *
   * @throws when bytes that were read before have proven to be wrong.
   */
  available(): number;
  /**
   * Resolves once more than `offset` bytes are available or the body is whole.
   *
   * @throws the fill's failure, when the body will never grow that far.
   */
  whenBeyond(offset: number): Promise<void>;
  /**
   * Tells that a reader has been given the bytes before an offset, from wherever it began: if they
   * prove wrong, only those who have none of them can be served on.
   */
  passed(offset: number): void;
  /** The open file, until `release`; another one after `available` when a better copy took over. */
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
    passed: () => {},
    handle: file.handle,
    bytes,
    release: () => file.release(),
  };
}
