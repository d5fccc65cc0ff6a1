import { isScarcity } from '../cache/scarcity.ts';
import type { SourceUrl } from '../config/source-url.ts';
import { CacheError, describe } from '../errors.ts';
import { formatDuration } from '../units.ts';
import { Contact } from './contact.ts';
import { judgeFirstBytes } from './first-bytes.ts';
import type { HealthBook } from './health.ts';
import { type Expected, judge, type OriginHead, type Said, type Verdict } from './judge.ts';
import type { Attempt, Upstream, UpstreamAnswer } from './request.ts';

/** Every source has been asked by then, however many there are: pacman waits 10 s. */
const ALL_ASKED_BY = 7000;
/** A source that sends no head for so long has failed; with the above, wget's 60 s are kept. */
const ANSWER_TIMEOUT = 30_000;

/** One question to the sources of a repository. */
export interface Question {
  /** In the order to try them. */
  readonly sources: readonly SourceUrl[];
  readonly method: 'GET' | 'HEAD';
  /** The path below each source's base, as the client spelled it. */
  readonly path: string;
  /** The name of the Gentoo distfile that the path means. */
  readonly distfile?: string | undefined;
  /** The caches that the question came through, for CDN-Loop. */
  readonly hops?: readonly string[] | undefined;
  readonly expected: Expected;
  /** The body goes on to a client, at that client's pace. */
  readonly passed?: boolean;
  /** Our own validators or range for one source, by lower-case name. */
  readonly fields?: (source: SourceUrl) => Readonly<Record<string, string>>;
  /** A reason to refuse an answer that is good in itself. */
  readonly accept?: (offer: Offer) => string | undefined;
  /** Gives the question up. */
  readonly signal?: AbortSignal;
}

/** An answer that may be the right one. */
export interface Offer {
  readonly source: SourceUrl;
  readonly head: OriginHead;
  /** The offset of the first byte that follows. */
  readonly from: number;
}

/** What the sources came to. */
export type Reply =
  | ({ readonly kind: 'good'; readonly answer: UpstreamAnswer } & Offer)
  | { readonly kind: 'unchanged'; readonly source: SourceUrl }
  /** `certain`: every source that is not set aside said so; `unanimous`: every source did. */
  | {
      readonly kind: 'missing';
      readonly certain: boolean;
      readonly unanimous: boolean;
      readonly said: readonly Said[];
    }
  /** `busy`: a source that might have it had no place for the question. */
  | { readonly kind: 'failed'; readonly busy?: boolean; readonly said: readonly Said[] };

/** Whom to ask, and how long to wait before asking the next as well. */
export interface Asking {
  readonly upstream: Upstream;
  readonly health: HealthBook;
  /** Milliseconds without an answer until the next source gets asked too. */
  readonly hedgeAfter: number;
}

/**
 * Asks the sources in order until one gives the package: the next one when one fails, and also
 * when one is slow. The first good answer wins; the others are dropped before their bodies.
 */
export function ask(asking: Asking, question: Question): Promise<Reply> {
  return new Race(asking, question).run();
}

interface Runner {
  readonly source: SourceUrl;
  readonly attempt: Attempt;
  readonly timer: NodeJS.Timeout;
}

class Race {
  readonly #asking: Asking;
  readonly #question: Question;
  readonly #waiting: SourceUrl[];
  readonly #healthy: Set<SourceUrl>;
  readonly #contact: Contact;
  readonly #running = new Set<Runner>();
  readonly #said: Said[] = [];
  readonly #missing = new Set<SourceUrl>();
  readonly #result = Promise.withResolvers<Reply>();
  readonly #interval: number;
  #hedge: NodeJS.Timeout | undefined;
  #over = false;

  constructor(asking: Asking, question: Question) {
    const { sources } = question;
    this.#asking = asking;
    this.#question = question;
    this.#contact = new Contact(asking.health);
    this.#waiting = [...sources];
    this.#healthy = new Set(sources.filter((source) => !asking.health.isSetAside(source)));
    this.#interval = Math.min(asking.hedgeAfter, ALL_ASKED_BY / Math.max(1, sources.length - 1));
  }

  async run(): Promise<Reply> {
    const stop = () => this.#giveUp('the request was given up');
    const { signal } = this.#question;
    signal?.addEventListener('abort', stop, { once: true });
    try {
      if (signal?.aborted === true) stop();
      if (this.#waiting.length === 0) this.#finish();
      this.#startNext();
      return await this.#result.promise;
    } finally {
      signal?.removeEventListener('abort', stop);
      clearTimeout(this.#hedge);
    }
  }

  #startNext(): void {
    if (this.#over) return;
    const source = this.#waiting.shift();
    if (source === undefined) return;
    const { method, path, distfile, hops, fields, passed } = this.#question;
    const attempt = this.#asking.upstream.ask({
      source,
      method,
      path,
      distfile,
      hops,
      ...(fields && { fields: fields(source) }),
      passed,
      sending: () => this.#contact.begin(source),
    });
    const giveUp = () => attempt.abort(new Error(this.#contact.silence(source, ANSWER_TIMEOUT)));
    const runner: Runner = { source, attempt, timer: setTimeout(giveUp, ANSWER_TIMEOUT) };
    this.#running.add(runner);
    this.#watch(runner).catch((error: unknown) => this.#result.reject(error));
    clearTimeout(this.#hedge);
    this.#hedge = setTimeout(() => this.#startNext(), this.#interval);
  }

  async #watch(runner: Runner): Promise<void> {
    let answer: UpstreamAnswer | undefined;
    let verdict: Verdict;
    try {
      answer = await runner.attempt.answer;
      verdict = await this.#judge(answer, runner.source);
    } catch (error) {
      if (isScarcity(error)) this.#contact.retract(runner.source);
      const reason = error instanceof CacheError ? error.reason : describe(error);
      verdict = { kind: 'bad', reason };
    }
    if (this.#over) return;
    clearTimeout(runner.timer);
    this.#running.delete(runner);
    if (verdict.kind === 'bad') this.#contact.fail(runner.source, verdict.reason);
    else this.#contact.succeed(runner.source);
    if (verdict.kind === 'good' && answer !== undefined) {
      const { head, from } = verdict;
      this.#win(runner, { kind: 'good', source: runner.source, answer, head, from });
      return;
    }
    answer?.exchange.discard();
    if (verdict.kind === 'unchanged')
      this.#win(runner, { kind: 'unchanged', source: runner.source });
    else if (verdict.kind !== 'good') this.#note(runner.source, verdict);
  }

  async #judge(answer: UpstreamAnswer, source: SourceUrl): Promise<Verdict> {
    const { expected, method, accept } = this.#question;
    const verdict = judge(answer, expected);
    if (verdict.kind !== 'good') return verdict;
    const refused = accept?.({ source, head: verdict.head, from: verdict.from });
    if (refused !== undefined) return { kind: 'unfit', reason: refused };
    if (method === 'HEAD') return verdict;
    const firstBytes = () => answer.exchange.firstBytes();
    return judgeFirstBytes({ verdict, expected, firstBytes });
  }

  #note(source: SourceUrl, verdict: Verdict & { kind: 'missing' | 'unfit' | 'bad' }): void {
    const { reason } = verdict;
    this.#said.push({ source, reason, ...('length' in verdict && { length: verdict.length }) });
    if (verdict.kind === 'missing') this.#missing.add(source);
    this.#startNext();
    if (this.#running.size === 0) this.#finish();
    else if (this.#onlyTheSickAreLeft()) this.#hurry();
  }

  // What the working sources do not have is hardly at one that was set aside: it gets a moment
  // to say so, and pacman's optional signatures do not wait for a dead mirror.
  #onlyTheSickAreLeft(): boolean {
    const open = [...this.#waiting, ...[...this.#running].map(({ source }) => source)];
    return this.#missing.size > 0 && open.every((source) => !this.#healthy.has(source));
  }

  #hurry(): void {
    clearTimeout(this.#hedge);
    while (this.#waiting.length > 0) this.#startNext();
    clearTimeout(this.#hedge);
    this.#hedge = setTimeout(() => this.#giveUp('no answer in time'), this.#asking.hedgeAfter);
  }

  #win(winner: Runner, reply: Reply): void {
    const patience = Math.max(this.#asking.hedgeAfter, 1000);
    const won = this.#contact.waited(winner.source);
    for (const { source } of this.#running) {
      // Had it been asked alone, the client would still wait: the next request goes elsewhere.
      const waited = this.#contact.waited(source);
      if (waited > won && waited >= patience) {
        this.#contact.fail(source, `no answer for ${formatDuration(waited)}`);
      }
    }
    this.#end(reply);
  }

  #giveUp(reason: string): void {
    if (this.#over) return;
    for (const { source } of this.#running) {
      this.#said.push({ source, reason });
      if (this.#question.signal?.aborted !== true) this.#contact.fail(source, reason);
    }
    this.#finish();
  }

  #finish(): void {
    const said = this.#said;
    const unanimous = this.#missing.size === this.#question.sources.length;
    const healthy = [...this.#healthy];
    // Where all are set aside, the word of one is not the word of all.
    const certain = healthy.length > 0 && healthy.every((source) => this.#missing.has(source));
    this.#end(
      this.#missing.size > 0
        ? { kind: 'missing', certain: certain || unanimous, unanimous, said }
        : { kind: 'failed', busy: this.#contact.busy, said },
    );
  }

  #end(reply: Reply): void {
    this.#over = true;
    for (const runner of this.#running) {
      clearTimeout(runner.timer);
      runner.attempt.abort(new Error('another source was faster'));
    }
    this.#running.clear();
    this.#result.resolve(reply);
  }
}
