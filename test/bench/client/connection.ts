import {
  closeSocket,
  connectTo,
  discard,
  receive,
  SO_RCVBUF,
  type SocketOption,
  sendAll,
  TCP_MAXSEG,
  TCP_NODELAY,
} from '../syscalls.ts';
import { type Answer, type Job, type Line, now } from './job.ts';

/** A slow reader takes a tenth of a second's worth at a time, as programs that limit a rate do. */
const SIPS = 10;
/** As much as a slow reader's kernel takes in on its own; a larger buffer would read in its place. */
const SLOW_BUFFER = 64 * 1024;

/** Heads, and small bodies behind them. One for all: nothing stays in it. */
const buffer = Buffer.alloc(8 * 1024);

/** One connection that asks for its targets in turn. */
export class Connection {
  readonly #job: Job;
  readonly #index: number;
  readonly #requests: readonly Buffer[];
  #socket: number | undefined;
  #next = 0;
  /** Body bytes that are still to come; undefined before the head. */
  #left: number | undefined;
  #began = 0;
  #firstByte: number | undefined;
  /** When it wants to read again, or to connect; on the monotonic clock. */
  due: number;
  bytes = 0;

  constructor(job: Job, line: Line, place: { readonly index: number; readonly start: number }) {
    this.#job = job;
    this.#index = place.index;
    this.#requests = line.targets.map((target) =>
      Buffer.from(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\n\r\n`),
    );
    this.due = place.start + (line.after ?? 0);
  }

  get socket(): number | undefined {
    return this.#socket;
  }

  /** With nothing more to ask for. */
  get done(): boolean {
    return this.#next >= this.#requests.length && this.#job.window === undefined;
  }

  /** Connects and sends the first request; tries later when nobody listens yet. */
  open(giveUpAt: number): void {
    const { port, rate, segment } = this.#job;
    this.#began ||= now();
    const options: [SocketOption, number][] = [[TCP_NODELAY, 1]];
    if (segment !== undefined) options.push([TCP_MAXSEG, segment]);
    if (rate !== undefined) options.push([SO_RCVBUF, SLOW_BUFFER / 2]);
    this.#socket = connectTo(port, options);
    if (this.#socket !== undefined) {
      this.#ask();
      return;
    }
    if (now() > giveUpAt) throw new Error(`Cannot connect to port ${port}: nobody listens`);
    this.due = now() + 1;
  }

  /** Takes what has arrived; answers the request that has its whole body by that. */
  read(): Answer | undefined {
    const socket = this.#socket ?? -1;
    if (this.#left === undefined) {
      const length = receive(socket, buffer);
      if (length === undefined) return undefined;
      this.#startBody(length);
    } else {
      const length = discard(socket, this.#sip(this.#left));
      if (length === undefined) return undefined;
      if (length === 0) throw new Error(`Cannot read the body: it ends ${this.#left} bytes early`);
      this.#take(length);
    }
    return this.#left === 0 ? this.#finish() : undefined;
  }

  /** Sends the next request, if there is one. */
  proceed(): void {
    if (this.#next >= this.#requests.length && this.#job.window !== undefined) this.#next = 0;
    if (this.#next >= this.#requests.length) {
      this.close();
      return;
    }
    this.#began = now();
    this.#ask();
  }

  close(): void {
    if (this.#socket !== undefined) closeSocket(this.#socket);
    this.#socket = undefined;
  }

  #ask(): void {
    this.#left = undefined;
    const request = this.#requests[this.#next];
    if (request !== undefined) sendAll(this.#socket ?? -1, request);
  }

  #startBody(received: number): void {
    const end = buffer.subarray(0, received).indexOf('\r\n\r\n');
    if (end === -1) throw new Error('Cannot read an answer: its head is not whole');
    const head = buffer.toString('latin1', 0, end + 2);
    const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1];
    if (!head.startsWith('HTTP/1.1 200 ') || length === undefined) {
      throw new Error(`Cannot use an answer:\n${head}`);
    }
    this.#left = Number(length);
    this.#firstByte = undefined;
    this.#take(received - end - 4);
  }

  #take(length: number): void {
    // A head that travels alone brings no byte of the package.
    if (length > 0) this.#firstByte ??= now() - this.#began;
    this.#left = (this.#left ?? 0) - length;
    this.bytes += length;
  }

  /** How much of the rest it reads now; a slow one then waits. */
  #sip(left: number): number {
    const { rate } = this.#job;
    if (rate === undefined) return left;
    this.due = Math.max(this.due, now() - 1000) + 1000 / SIPS;
    return Math.min(left, Math.ceil(rate / SIPS));
  }

  #finish(): Answer {
    this.#next += 1;
    const at = now();
    const whole = at - this.#began;
    return { line: this.#index, firstByte: this.#firstByte ?? whole, whole, at };
  }
}
