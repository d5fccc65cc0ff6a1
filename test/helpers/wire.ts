import type { Socket } from 'node:net';

/** How the other side left: `fin` cleanly, `reset` by RST; `destroyed` was our own doing. */
export type Ending = 'fin' | 'reset' | 'destroyed';

const highWater = 256 * 1024;

/** A socket that is read on demand: what nobody asks for stays in the kernel. */
export class Wire {
  readonly socket: Socket;
  readonly #silence: number;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #held = false;
  #failure: Error | undefined;
  #wake = () => {};
  ending: Ending | undefined;

  /** @param silence Milliseconds without a byte after which a waiting read rejects. */
  constructor(socket: Socket, silence: number = Number.POSITIVE_INFINITY) {
    this.socket = socket;
    this.#silence = silence;
    socket.on('data', (chunk) => this.#push(chunk));
    socket.on('end', () => this.#end('fin'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(error));
    socket.on('close', () => this.#end('destroyed'));
  }

  /** Bytes that have arrived and that nobody has read. */
  get buffered(): number {
    return this.#buffered;
  }

  /** The next bytes, at most `limit`; undefined when there are no more. */
  async some(limit: number): Promise<Buffer | undefined> {
    while (this.#buffered === 0) if (!(await this.#more())) return undefined;
    const first = this.#chunks[0] ?? Buffer.alloc(0);
    return this.#shift(Math.min(limit, first.length));
  }

  /** All bytes through the delimiter; undefined when the other side left before it. */
  async until(delimiter: string): Promise<Buffer | undefined> {
    for (;;) {
      const all = Buffer.concat(this.#chunks);
      this.#chunks = all.length > 0 ? [all] : [];
      const at = all.indexOf(delimiter);
      if (at >= 0) return this.#shift(at + delimiter.length);
      if (!(await this.#more())) return undefined;
    }
  }

  /** Reads nothing from the kernel until `release`, so that the other side feels it. */
  hold(): void {
    this.#held = true;
    this.socket.pause();
  }

  release(): void {
    this.#held = false;
    this.socket.resume();
  }

  #shift(size: number): Buffer {
    const first = this.#chunks[0] ?? Buffer.alloc(0);
    if (size < first.length) this.#chunks[0] = first.subarray(size);
    else this.#chunks.shift();
    this.#buffered -= size;
    return first.subarray(0, size);
  }

  async #more(): Promise<boolean> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.ending !== undefined) return false;
    const had = this.#buffered;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const silent = () => reject(new Error(`No byte for ${this.#silence} ms`));
    const timer = Number.isFinite(this.#silence) ? setTimeout(silent, this.#silence) : undefined;
    if (!this.#held) this.socket.resume();
    await promise.finally(() => clearTimeout(timer));
    if (this.#failure !== undefined) throw this.#failure;
    return this.#buffered > had;
  }

  #push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    if (this.#buffered >= highWater) this.socket.pause();
    this.#wake();
  }

  #end(ending: Ending): void {
    this.ending ??= ending;
    this.#wake();
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') this.#end('reset');
    else this.#failure ??= error;
    this.#wake();
  }
}
