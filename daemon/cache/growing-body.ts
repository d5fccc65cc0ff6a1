import type { Body, SharedHandle } from './body.ts';

/** Another copy of the same file, which takes over from one that has proven to be wrong. */
interface Successor {
  readonly body: GrowingBody;
  /** Why those cannot go on who were given bytes that the new copy does not have. */
  readonly reason: Error;
  /** So many bytes are known to be the same in both. */
  agreed: number;
  /** The first byte in which they differ, once it is known. */
  differsAt: number | undefined;
}

/** A body that one writer makes grow while any number of readers follow it. */
export class GrowingBody {
  /** The length the source announced, or the one found at the end. */
  length: number | undefined;
  readonly #file: SharedHandle;
  #committed = 0;
  #withheld = 0;
  #finished = false;
  #failure: Error | undefined;
  #successor: Successor | undefined;
  #changed: PromiseWithResolvers<void> | undefined;

  constructor(file: SharedHandle, length: number | undefined) {
    this.#file = file;
    this.length = length;
  }

  /** How many bytes are in the file. */
  get committed(): number {
    return this.#committed;
  }

  /** How many of them readers may have. */
  get open(): number {
    if (this.#finished) return this.#committed;
    const end = this.length ?? this.#committed;
    return Math.min(this.#committed, Math.max(0, end - this.#withheld));
  }

  /** The whole body is in the file, and readers may have all of it. */
  get complete(): boolean {
    return this.length !== undefined && this.open >= this.length;
  }

  /** Keeps so many bytes at the end from readers, until `finish`. Only before the first reader. */
  withhold(bytes: number): void {
    this.#withheld = bytes;
  }

  /** The first `bytes` bytes are in the file. */
  reach(bytes: number): void {
    if (bytes <= this.#committed) return;
    this.#committed = bytes;
    this.#wake();
  }

  /** The writer is done: what is in the file is the whole body. What is withheld still is. */
  seal(): void {
    this.length = this.#committed;
    this.#wake();
  }

  /** What is in the file is the whole body, and readers may have all of it. */
  finish(): void {
    this.#finished = true;
    this.seal();
  }

  /** The body will never be whole; readers that need more than there is are told why. */
  fail(reason: Error): void {
    this.#failure ??= reason;
    this.#wake();
  }

  /**
   * Has another copy take over, and gives nothing more of this one away. Readers go over to it
   * unnoticed as it proves to hold the bytes they were given: `agreeUpTo` and `differFrom` tell.
   */
  succeedBy(body: GrowingBody, reason: Error): void {
    this.#successor = { body, reason, agreed: 0, differsAt: undefined };
    this.#wake();
  }

  /** The successor has the same first `bytes` bytes. */
  agreeUpTo(bytes: number): void {
    if (this.#successor === undefined) return;
    this.#successor.agreed = bytes;
    this.#wake();
  }

  /** The successor differs from this copy, at this byte first. */
  differFrom(offset: number): void {
    if (this.#successor === undefined) return;
    this.#successor.differsAt = offset;
    this.#wake();
  }

  /** A reader's own view, which holds the file open until it is released. */
  reader(): Body {
    return new BodyReader(this);
  }

  /** The file, held for whoever asks, who releases it. */
  share(): SharedHandle {
    return this.#file.retain();
  }

  /** Who has taken over, if somebody has. */
  get successor(): Readonly<Successor> | undefined {
    return this.#successor;
  }

  /** Resolves at the next change. @throws the failure, when there will be none */
  async change(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#changed ??= Promise.withResolvers<void>();
    await this.#changed.promise;
  }

  /** Resolves once more than `offset` bytes are in the file, or all. @throws the failure */
  async whenWritten(offset: number): Promise<void> {
    while (this.#committed <= offset && this.#committed !== this.length) await this.change();
  }

  #wake(): void {
    const changed = this.#changed;
    this.#changed = undefined;
    changed?.resolve();
  }
}

class BodyReader implements Body {
  readonly #announced: number | undefined;
  #body: GrowingBody;
  #file: SharedHandle;
  #passed = 0;

  constructor(body: GrowingBody) {
    this.#body = body;
    this.#file = body.share();
    this.#announced = body.length;
  }

  get length(): number | undefined {
    return this.#body.length;
  }

  get handle() {
    return this.#file.handle;
  }

  available(): number {
    return this.#follow() ? this.#body.open : 0;
  }

  passed(offset: number): void {
    this.#passed = Math.max(this.#passed, offset);
  }

  async whenBeyond(offset: number): Promise<void> {
    while (!this.#follow() || (this.#body.open <= offset && !this.#body.complete)) {
      await this.#body.change();
    }
  }

  release(): void {
    this.#file.release();
  }

  /** Goes over to the latest copy; false as long as nobody knows whether that can be done. */
  #follow(): boolean {
    for (let next = this.#body.successor; next !== undefined; next = this.#body.successor) {
      const { body, agreed, differsAt, reason } = next;
      const isOther = this.#announced !== undefined && body.length !== this.#announced;
      if (isOther || this.#passed > (differsAt ?? Number.POSITIVE_INFINITY)) throw reason;
      if (this.#passed > (differsAt ?? agreed)) return false;
      const file = body.share();
      this.#file.release();
      this.#file = file;
      this.#body = body;
    }
    return true;
  }
}
