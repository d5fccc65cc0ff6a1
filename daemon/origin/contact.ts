import type { SourceUrl } from '../config/source-url.ts';
import { formatDuration } from '../units.ts';
import type { HealthBook } from './health.ts';

/** A source that had less time than this, in ms, to answer a question that had waited is no failure. */
const FAIR = 10_000;

/**
 * What one question learns of the sources' health. It may have to wait for a place at a source:
 * until it is sent, nothing that happens says anything of that source.
 */
export class Contact {
  readonly #health: HealthBook;
  readonly #sent = new Map<SourceUrl, number>();
  #busy = false;

  constructor(health: HealthBook) {
    this.#health = health;
  }

  /** A source that might have answered had no place for the question. */
  get busy(): boolean {
    return this.#busy;
  }

  /** The question is sent to a source. */
  begin(source: SourceUrl): void {
    this.#health.begin(source);
    this.#sent.set(source, Date.now());
  }

  /** The question could not be sent, for a reason that is ours. */
  retract(source: SourceUrl): void {
    this.#sent.delete(source);
  }

  succeed(source: SourceUrl): void {
    this.#health.succeed(source, this.waited(source));
  }

  fail(source: SourceUrl, reason: string): void {
    if (this.#sent.has(source)) this.#health.fail(source, reason);
    else this.#busy = true;
  }

  /** Milliseconds since the question was sent to a source; none while it waits for its place. */
  waited(source: SourceUrl): number {
    return Date.now() - (this.#sent.get(source) ?? Date.now());
  }

  /** Why a source is given up that has not answered `patience` ms after it was its turn. */
  silence(source: SourceUrl, patience: number): string {
    const waited = this.waited(source);
    if (waited >= Math.min(FAIR, patience)) return `no answer for ${formatDuration(waited)}`;
    // The place came too late to make anything of it.
    this.retract(source);
    return `no place for another request for ${formatDuration(patience)} (MAX_FILLS_PER_SOURCE)`;
  }
}
