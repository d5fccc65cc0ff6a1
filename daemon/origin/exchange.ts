import type { Dispatcher } from 'undici';
import type { RawFields } from '../http/fields.ts';

/** A body that is thrown away is read up to here, to keep the connection; beyond, it is cut. */
const DISCARD_LIMIT = 64 * 1024;
/** And for so many milliseconds: one that never ends must not hold its connection for ever. */
const DISCARD_TIME = 5000;

/** Where the bytes of an answer go. */
export interface BodySink {
  data(chunk: Buffer): void;
  /** The body ended as its framing says it should (RFC 9112 section 8). */
  end(): void;
  fail(error: Error): void;
}

/** The head of a final answer; interim ones (RFC 9110 section 15.2) are passed over. */
export interface AnswerHead {
  readonly status: number;
  readonly fields: RawFields;
}

/** The code of the error when a source resets a connection. */
export const RESET = 'ERR_SOURCE_RESET';

type Ending = { readonly error?: Error };

/** One request on one connection: the head first, then the body at the reader's pace. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #head = Promise.withResolvers<AnswerHead>();
  readonly #over = Promise.withResolvers<void>();
  #controller: Dispatcher.DispatchController | undefined;
  #sink: BodySink | undefined;
  #held: Buffer[] = [];
  #ending: Ending | undefined;
  #aborted: Error | undefined;
  #arrival: PromiseWithResolvers<void> | undefined;
  readonly #starting: () => void;
  readonly #received: (bytes: number) => void;

  /**
   * @param starting told just before the request is written
   * @param received told of the bytes of every piece of the body
   */
  constructor(starting: () => void = () => {}, received: (bytes: number) => void = () => {}) {
    this.#starting = starting;
    this.#received = received;
    // Whoever gave the exchange up may never look at its head.
    this.#head.promise.catch(() => {});
  }

  /** The final answer's head, or the reason there is none. */
  get head(): Promise<AnswerHead> {
    return this.#head.promise;
  }

  /** Resolves when nothing more is to come: the body has ended or broken off, or was given up. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Gives the exchange up; what still arrives is dropped with the connection. */
  abort(reason: Error): void {
    if (this.#aborted !== undefined || this.#ending !== undefined) return;
    this.#aborted = reason;
    this.#head.reject(reason);
    this.#over.resolve();
    this.#controller?.abort(reason);
  }

  /**
   * The first bytes, as soon as there are any; none when the body is empty. They are not lost.
   *
   * @throws the reason why the body broke off before.
   */
  async firstBytes(): Promise<Buffer> {
    while (this.#held.length === 0 && this.#ending === undefined) {
      this.#arrival = Promise.withResolvers<void>();
      this.#controller?.resume();
      await this.#arrival.promise;
    }
    if (this.#ending?.error !== undefined) throw this.#ending.error;
    return this.#held[0] ?? Buffer.alloc(0);
  }

  /** Lets the body flow into a sink, from its first byte. */
  readBody(sink: BodySink): void {
    const held = this.#held;
    this.#held = [];
    this.#sink = sink;
    for (const chunk of held) sink.data(chunk);
    if (this.#ending !== undefined) this.#tell(this.#ending);
    else this.#controller?.resume();
  }

  /** The sink has enough for now. */
  pause(): void {
    this.#controller?.pause();
  }

  /** The sink is ready for more. */
  resume(): void {
    if (this.#ending === undefined) this.#controller?.resume();
  }

  /** Throws the body away: read when it is short, so that the connection may be used again. */
  discard(): void {
    let bytes = 0;
    const cut = () => this.abort(new Error('the body is of no use'));
    const timer = setTimeout(cut, DISCARD_TIME);
    const stop = () => clearTimeout(timer);
    this.readBody({
      data: (chunk) => {
        bytes += chunk.length;
        if (bytes > DISCARD_LIMIT) cut();
      },
      end: stop,
      fail: stop,
    });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted === undefined) this.#starting();
    else controller.abort(this.#aborted);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return;
    controller.pause();
    this.#head.resolve({ status, fields: textFields(controller.rawHeaders) });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#received(chunk.length);
    if (this.#sink !== undefined) {
      this.#sink.data(chunk);
      return;
    }
    this.#held.push(chunk);
    controller.pause();
    this.#arrival?.resolve();
  }

  onResponseEnd(): void {
    this.#end({});
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#head.reject(error);
    this.#end({ error });
  }

  #end(ending: Ending): void {
    this.#ending = ending;
    this.#over.resolve();
    this.#arrival?.resolve();
    if (this.#sink !== undefined) this.#tell(ending);
  }

  #tell({ error }: Ending): void {
    const sink = this.#sink;
    if (error === undefined) sink?.end();
    else sink?.fail(error);
  }
}

function textFields(raw: Dispatcher.DispatchController['rawHeaders']): RawFields {
  if (!Array.isArray(raw)) return [];
  return raw.map((text) => (typeof text === 'string' ? text : text.toString('latin1')));
}
