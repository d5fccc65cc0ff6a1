import type { Body } from '../cache/body.ts';
import type { SourceUrl } from '../config/source-url.ts';
import { describe } from '../errors.ts';
import { type BodyBeginning, begin, type Starting, type Stream } from './beginning.ts';
import { type End, type FillOutcome, type FillReport, paceOf, wordAccount } from './fill-report.ts';
import { keep } from './keep.ts';
import { clearAway, leaveBehind } from './leave.ts';
import { obtain } from './obtain.ts';
import type { FillHead, FillOrder, FillStart, FillTools } from './order.ts';
import { digestsFor, doubtOf, Proof, sizesOf, type Verdict, WITHHELD } from './proof.ts';
import { anotherFile, cancelled, failure } from './refusals.ts';

/** So long, in ms, a client waits for the head of a small file, for it may yet prove wrong. */
const HEAD_PATIENCE = 2000;

/** One download in progress, from the question to the stored entry. */
export type FillState = FillReport['state'];

/** One download in progress into a partial file; it runs to its end without clients. */
export class Fill {
  readonly order: FillOrder;
  readonly startedAt = Date.now();
  /** How many requests were served from it. */
  clients = 0;
  /** Who delivers now, or delivered last. */
  source: SourceUrl | undefined;
  /** Every source that works said that there is no such file. */
  certainlyMissing = false;
  /** The sources turned to another file under way: that one is to be fetched from its start. */
  turned = false;
  /** What it came to, once it is over. */
  outcome: FillOutcome | undefined;
  readonly #context: FillTools;
  readonly #starting: Starting;
  readonly #proof: Proof;
  readonly #start = Promise.withResolvers<FillStart>();
  readonly #finished = Promise.withResolvers<void>();
  readonly #cancelled = new AbortController();
  #state: FillState = 'asking';
  #stream: Stream | undefined;
  #headTimer: NodeJS.Timeout | undefined;
  #members = 0;
  #streaming = Date.now();
  #resumedAt = 0;
  #over = false;

  /** @param after a failed fill of the same key, which still has to clear its partial away */
  constructor(context: FillTools, order: FillOrder, after: Promise<void> | undefined) {
    const digests = digestsFor(order.route, context);
    this.#context = context;
    this.order = order;
    const agreed = context.agreements.get(order.route.key);
    this.#proof = new Proof(digests, agreed);
    const { signal } = this.#cancelled;
    this.#starting = { order, context, signal, sizes: sizesOf(digests, agreed) };
    // Nobody may be waiting: a fill goes on without its clients.
    this.#start.promise.catch(() => {});
    this.#run(after).catch((error: unknown) => this.#fail(error));
  }

  get state(): FillState {
    return this.#state;
  }

  /** Whoever joins now can be served from it. */
  get joinable(): boolean {
    return this.#state !== 'failed' && this.#state !== 'done';
  }

  /** What the sources said: rejects with CacheError `not-found`, `source` or `storage`. */
  get start(): Promise<FillStart> {
    return this.#start.promise;
  }

  /** Resolves when nothing is left to do, however it ended. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** The head of a body that is all there, and proven, and only waits to be stored. */
  get whole(): FillHead | undefined {
    const { partial, head } = this.#stream ?? {};
    return this.joinable && partial?.body.complete === true ? head : undefined;
  }

  /** Counts somebody in: until `leave` the body stays readable, whatever becomes of the fill. */
  join(): this {
    this.#members += 1;
    return this;
  }

  /** Counts somebody out, once for each `join`. */
  leave(): void {
    this.#members -= 1;
    this.#letGo();
  }

  /** Whom to ask for a part of it, if anything can tell that it is the same file. */
  get elsewhere() {
    const { route = this.order.route, known } = this.#stream ?? {};
    return known && { route, known, source: this.source };
  }

  /** How far it is. */
  report(): FillReport {
    const { order, state, source, startedAt } = this;
    const { committed: bytes = 0, length } = this.#stream?.partial.body ?? {};
    const gained = bytes - this.#resumedAt;
    const pace = paceOf({ bytes, length, gained, since: this.#streaming });
    const { key } = order.route;
    return {
      key,
      state,
      source: source?.url,
      startedAt,
      bytes,
      length,
      clients: this.#members,
      ...pace,
    };
  }

  /** A reader of the body, for a member; only once `start` has said that there is one. */
  reader(): Body {
    if (this.#stream === undefined) throw new Error('a fill has no body before its start');
    return this.#stream.partial.body.reader();
  }

  /** Gives the download up; its readers are told, and what is there is kept for the next. */
  cancel(reason: string): void {
    this.#cancelled.abort(cancelled(this.order.route.key, reason));
  }

  async #run(after: Promise<void> | undefined): Promise<void> {
    await after;
    const beginning = await begin(this.#starting);
    switch (beginning.kind) {
      case 'unchanged':
        this.source = beginning.source;
        this.#settle({ kind: 'unchanged', text: `${beginning.source.url} says it is unchanged` });
        this.#start.resolve({ kind: 'unchanged' });
        return this.#end('done');
      case 'refused':
        this.certainlyMissing = beginning.certain;
        throw beginning.error;
      case 'body':
        this.#noteDifference(beginning.differsAt);
        return await this.#obtain(beginning);
    }
  }

  async #obtain(beginning: BodyBeginning): Promise<void> {
    const opened = (copy: BodyBeginning) => this.#open(copy);
    const turned = (source: SourceUrl) => {
      this.source = source;
    };
    const given = { ...this.#starting, context: this.#context, proof: this.#proof, opened, turned };
    const obtained = await obtain(beginning, given);
    if (obtained.kind === 'whole') return await this.#store(obtained.stream, obtained.verdict);
    this.#noteDifference(obtained.offset);
    this.turned = true;
    throw anotherFile(this.order.route.key, obtained.offset);
  }

  #open({ stream, first }: BodyBeginning): void {
    const { partial, head } = stream;
    this.#stream = stream;
    this.#proof.watch(partial.body);
    if (first.position > 0) partial.confirm();
    this.source = first.source;
    this.#state = 'streaming';
    this.#streaming = Date.now();
    this.#resumedAt = partial.body.committed;
    this.#context.events.emit('download', this.order.route.key, `from ${first.source.url}`);
    const start = () => this.#start.resolve({ kind: 'body', head: this.#stream?.head ?? head });
    // While nothing of it may go out, an error can still be told as one.
    if (this.#starting.sizes === undefined || (head.length ?? 0) > WITHHELD) start();
    else this.#headTimer ??= setTimeout(start, HEAD_PATIENCE);
  }

  #noteDifference(offset: number | undefined): void {
    if (offset !== undefined) this.#context.differences.set(this.order.route.key, offset);
  }

  async #store(stream: Stream, verdict: Verdict): Promise<void> {
    const { partial, head } = stream;
    const { log, counters, agreements } = this.#context;
    const { key } = this.order.route;
    if (verdict.kind === 'agreed') agreements.set(key, verdict.on);
    this.#state = 'storing';
    partial.body.finish();
    this.#start.resolve({ kind: 'body', head });
    const bytes = partial.body.committed;
    const account = wordAccount(this, bytes);
    const doubt = doubtOf(head, verdict);
    if (doubt === undefined) {
      const source = this.source as SourceUrl;
      const proven = verdict.kind === 'right';
      await keep({ order: this.order, stream, source, proven }, this.#context);
      counters.fills += 1;
      log.info(`stored "${key}" ${account}`);
    } else log.warn(`passed "${key}" ${account}; not stored: ${doubt}`);
    this.#settle({ kind: doubt === undefined ? 'stored' : 'passed', bytes, text: account });
    await clearAway(stream, this.#context);
    this.#end('done');
  }

  #settle({ kind, bytes = 0, reason, text }: End): void {
    this.outcome = { kind, at: Date.now(), source: this.source?.url, bytes, reason };
    this.#context.events.emit(kind, this.order.route.key, text);
  }

  // Whoever reads this body must not take what is there for the whole.
  #fail(error: unknown): void {
    const reason = failure(this.order.route.key, error);
    const stream = this.#stream;
    if (reason.code === 'storage') this.#context.room.noteFailure(reason.cause ?? reason);
    this.#state = 'failed';
    const bytes = stream?.partial.written ?? 0;
    this.#settle({ kind: 'failed', bytes, reason: reason.reason, text: reason.message });
    this.#context.counters.fillsFailed += 1;
    stream?.partial.body.fail(reason);
    this.#proof.fail(reason);
    this.#start.reject(reason);
    if (stream === undefined) {
      this.#end('failed');
      return;
    }
    const worthless = this.turned || this.#proof.isWrong(stream.partial.body);
    leaveBehind({ stream, reason, worthless }, this.#context)
      .catch((problem: unknown) => this.#context.log.warn(describe(problem)))
      .finally(() => this.#end('failed'));
  }

  #end(state: FillState): void {
    this.#state = state;
    this.#over = true;
    clearTimeout(this.#headTimer);
    this.#stream?.reservation.release();
    this.#letGo();
    this.#finished.resolve();
  }

  #letGo(): void {
    if (!this.#over || this.#members > 0) return;
    this.#stream?.partial.release();
    this.#stream = undefined;
  }
}
