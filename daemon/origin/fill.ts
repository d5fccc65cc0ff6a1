import { dirname } from 'node:path/posix';
import type { Body } from '../cache/body.ts';
import { removeFile } from '../cache/durable.ts';
import { Partial } from '../cache/partial.ts';
import type { SourceUrl } from '../config/source-url.ts';
import { CacheError, describe } from '../errors.ts';
import { formatDuration, formatRate, formatSize } from '../units.ts';
import { ask, type Reply } from './ask.ts';
import { download } from './download.ts';
import { keep } from './keep.ts';
import {
  type FillContext,
  type FillHead,
  type FillOrder,
  type FillStart,
  fillHead,
} from './order.ts';
import { cancelled, refusal, unstorable } from './refusals.ts';
import { isStepBack, validatorsFor } from './revalidation.ts';

/** Silence that is a stall while another source might do better, and when none is left. */
const STALL = { withOthers: 8000, alone: 30_000 };

/** One download in progress, from the question to the stored entry. */
export type FillState = 'asking' | 'streaming' | 'storing' | 'done' | 'failed';

/** One download in progress into a partial file; it runs to its end without clients. */
export class Fill {
  readonly order: FillOrder;
  readonly startedAt = Date.now();
  /** How many requests were served from it. */
  clients = 0;
  source: SourceUrl | undefined;
  /** Every source that works said that there is no such file. */
  certainlyMissing = false;
  readonly #context: FillContext;
  readonly #after: Promise<void> | undefined;
  readonly #start = Promise.withResolvers<FillStart>();
  readonly #finished = Promise.withResolvers<void>();
  readonly #cancelled = new AbortController();
  #state: FillState = 'asking';
  #partial: Partial | undefined;
  #head: FillHead | undefined;

  /** @param after a failed fill of the same key, which still has to clear its partial away */
  constructor(context: FillContext, order: FillOrder, after: Promise<void> | undefined) {
    this.#context = context;
    this.order = order;
    this.#after = after;
    // Nobody may be waiting: a fill goes on without its clients.
    this.#start.promise.catch(() => {});
    this.#run().catch((error: unknown) => this.#fail(error));
  }

  get state(): FillState {
    return this.#state;
  }

  /** What the sources said: rejects with CacheError `not-found`, `source` or `storage`. */
  get start(): Promise<FillStart> {
    return this.#start.promise;
  }

  /** Resolves when nothing is left to do, however it ended. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** The head of a body that is all there and only waits to be stored. */
  get whole(): FillHead | undefined {
    return this.#state === 'storing' ? this.#head : undefined;
  }

  /** A reader of the body; only once `start` has said that there is one. */
  reader(): Body {
    if (this.#partial === undefined) throw new Error('a fill has no body before its start');
    return this.#partial.body.reader();
  }

  /** Gives the download up; its readers are told. */
  cancel(reason: string): void {
    this.#cancelled.abort(cancelled(this.order.route.key, reason));
  }

  async #run(): Promise<void> {
    const reply = await this.#ask();
    switch (reply.kind) {
      case 'good':
        return isStepBack(this.order.previous, reply)
          ? this.#keep(reply)
          : await this.#stream(reply);
      case 'unchanged':
        return this.#confirm(reply.source);
      default:
        if (reply.kind === 'missing' && reply.certain) this.certainlyMissing = true;
        throw refusal(this.order.route.key, reply);
    }
  }

  async #ask(): Promise<Reply> {
    const { route, mutable, previous } = this.order;
    const asking = this.#context.asking();
    const ordered = asking.health.order(route.repository.sources);
    const validators = previous === undefined ? undefined : validatorsFor(previous);
    return ask(asking, {
      sources: mutable ? this.#context.sticky.order(dirname(route.key), ordered) : ordered,
      method: 'GET',
      path: route.upstreamPath,
      expected: { path: route.path, mutable, conditional: validators !== undefined },
      ...(validators === undefined ? {} : { fields: validators }),
      signal: this.#cancelled.signal,
    });
  }

  #keep({ source, answer }: Reply & { kind: 'good' }): void {
    answer.exchange.discard();
    this.#confirm(source);
  }

  #confirm(source: SourceUrl): void {
    this.source = source;
    this.#state = 'done';
    this.#start.resolve({ kind: 'unchanged' });
    this.#finished.resolve();
  }

  async #stream(reply: Reply & { kind: 'good' }): Promise<void> {
    const { head, source, answer } = reply;
    const { layout, counters } = this.#context;
    const { exchange } = answer;
    this.source = source;
    await this.#after;
    const partial = await Partial.create(layout.partial(this.order.route.key), head.length).catch(
      (cause: unknown) => {
        exchange.abort(new Error('there is no file to write to'));
        throw unstorable(this.order.route.key, cause);
      },
    );
    this.#partial = partial;
    this.#head = fillHead(head);
    this.#state = 'streaming';
    this.#start.resolve({ kind: 'body', head: this.#head });
    const stop = () => exchange.abort(this.#cancelled.signal.reason as Error);
    this.#cancelled.signal.addEventListener('abort', stop, { once: true });
    if (this.#cancelled.signal.aborted) stop();
    await download({
      exchange,
      partial,
      length: head.length,
      patience: this.order.route.repository.sources.length > 1 ? STALL.withOthers : STALL.alone,
      received: (bytes) => {
        counters.bytesFetched += bytes;
      },
    }).catch((error: unknown) => {
      this.#blame(source, error);
      throw error;
    });
    await this.#complete(reply);
  }

  #blame(source: SourceUrl, error: unknown): void {
    if (error instanceof CacheError) return;
    this.#context.asking().health.fail(source, describe(error));
  }

  async #complete({ head, source }: Reply & { kind: 'good' }): Promise<void> {
    const partial = this.#partial as Partial;
    const mtime = (this.#head as FillHead).mtime;
    const { key } = this.order.route;
    const { log, counters } = this.#context;
    this.#state = 'storing';
    partial.body.finish();
    const account = this.#account(partial.body.committed);
    if (!head.framed) {
      log.info(`passed "${key}" ${account}; not stored: its end is uncertain`);
    } else {
      await keep({ order: this.order, partial, head, source, mtime }, this.#context);
      counters.fills += 1;
      log.info(`stored "${key}" ${account}`);
    }
    await this.#release();
    this.#state = 'done';
    this.#finished.resolve();
  }

  #account(bytes: number): string {
    const took = Date.now() - this.startedAt;
    const size = `${bytes} bytes (${formatSize(bytes)})`;
    const pace = `${formatDuration(took)} (${formatRate(bytes, took)})`;
    const clients = this.clients === 1 ? '1 client' : `${this.clients} clients`;
    return `from ${this.source?.url}: ${size} in ${pace}, ${clients}`;
  }

  // Whoever reads this body must not take what is there for the whole.
  #fail(error: unknown): void {
    const { log, counters } = this.#context;
    const { key } = this.order.route;
    const streaming = this.#partial !== undefined;
    const reason =
      error instanceof CacheError
        ? error
        : new CacheError('source', {
            verb: 'fetch',
            thing: key,
            reason: `${this.source?.url ?? 'a source'}: ${describe(error)}`,
            cause: error,
          });
    this.#state = 'failed';
    counters.fillsFailed += 1;
    this.#partial?.body.fail(reason);
    this.#start.reject(reason);
    if (streaming) log.warn(`${reason.message} (after ${this.#partial?.body.committed} bytes)`);
    this.#release()
      .catch((problem: unknown) => log.warn(describe(problem)))
      .finally(this.#finished.resolve);
  }

  async #release(): Promise<void> {
    const partial = this.#partial;
    if (partial === undefined) return;
    partial.release();
    // After a commit nothing is left at this path.
    await removeFile(partial.path);
  }
}
