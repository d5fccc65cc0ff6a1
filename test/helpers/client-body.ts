import type { Answer, Ended, Head, Pieces } from './client-answer.ts';
import type { Wire } from './wire.ts';

/** Who wants to know about body bytes as they come. */
export interface Listener {
  /** Hears how many body bytes there are so far. */
  onByte?(received: number): void;
  /** Takes the body, which is then not kept. */
  sink?(piece: Buffer): void;
}

/** A body that is read piece by piece, or what is left of it at once. */
export class BodyReader {
  readonly #wire: Wire;
  readonly #pieces: Promise<Pieces>;
  readonly #listener: Listener;
  #spare: Buffer[] = [];
  #spareLength = 0;
  #received = 0;
  #firstByteAt: number | undefined;
  #ended: Ended | undefined;

  constructor(wire: Wire, pieces: Promise<Pieces>, listener: Listener) {
    this.#wire = wire;
    this.#pieces = pieces;
    this.#listener = listener;
    // A head that never came is told to whoever reads, and may be told to nobody.
    pieces.catch(() => {});
  }

  /** Exactly so many bytes, or fewer at the end. */
  async take(size: number): Promise<Buffer> {
    while (this.#spareLength < size && (await this.#pull()) === undefined);
    const all = Buffer.concat(this.#spare);
    this.#keep(all.subarray(size));
    return all.subarray(0, size);
  }

  /** The answer with the bytes that nobody took. */
  async rest(head: Head): Promise<Answer> {
    let ended: Ended | undefined;
    do {
      ended = await this.#pull();
      if (this.#listener.sink !== undefined) this.#drain();
    } while (ended === undefined);
    const body = Buffer.concat(this.#spare);
    const surplus = this.#wire.buffered;
    return { ...head, body, ended, firstByteAt: this.#firstByteAt, surplus };
  }

  async #pull(): Promise<Ended | undefined> {
    if (this.#ended !== undefined) return this.#ended;
    const next = await (await this.#pieces).next();
    if (next.done === true) {
      this.#ended = next.value;
      return this.#ended;
    }
    this.#firstByteAt ??= performance.now();
    this.#received += next.value.length;
    this.#listener.onByte?.(this.#received);
    this.#spare.push(next.value);
    this.#spareLength += next.value.length;
    return undefined;
  }

  #drain(): void {
    for (const piece of this.#spare) this.#listener.sink?.(piece);
    this.#keep(Buffer.alloc(0));
  }

  #keep(piece: Buffer): void {
    this.#spare = [piece];
    this.#spareLength = piece.length;
  }
}
