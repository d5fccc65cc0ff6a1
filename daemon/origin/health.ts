import type { SourceUrl } from '../config/source-url.ts';
import { formatDuration } from '../units.ts';

const FIRST_BACKOFF = 2000;
const LONGEST_BACKOFF = 300_000;
/** A probe that has neither succeeded nor failed keeps others away for so long. */
const PROBE = 10_000;
/** A source that worked for so long starts over with the first back-off. */
const FORGIVEN_AFTER = 60_000;

/** How a source has been doing. */
export interface SourceHealth {
  readonly source: SourceUrl;
  /** Failures since it last answered; several at a time count once. */
  failures: number;
  /** Why it last failed. */
  reason: string | undefined;
  /** When its present state began, milliseconds since the epoch. */
  since: number;
  /** Set aside until then. */
  until: number;
  /** Milliseconds to its last answer's head. */
  latency: number | undefined;
  /** Body bytes of packages it has delivered. */
  bytes: number;
}

/** What the health of all sources is told and asked. */
export interface HealthBook {
  of(source: SourceUrl): SourceHealth;
  /** The sources to try, in order: the ones set aside come last. */
  order(sources: readonly SourceUrl[]): readonly SourceUrl[];
  isSetAside(source: SourceUrl): boolean;
  /** A request is sent: while a failed source is probed, others keep away from it. */
  begin(source: SourceUrl): void;
  succeed(source: SourceUrl, latency: number): void;
  fail(source: SourceUrl, reason: string): void;
  /** Bytes of a body arrived. */
  received(source: SourceUrl, bytes: number): void;
}

/** What the book needs of the outside. */
export interface HealthOptions {
  readonly now: () => number;
  /** One line a change of state. */
  readonly changed: (line: string, source: SourceUrl) => void;
}

interface Kept extends SourceHealth {
  /** Back-offs so far; a short recovery does not end the count. */
  strikes: number;
  /** When the last of them began, milliseconds since the epoch. */
  failedAt: number;
}

/** Keeps the health of sources by URL, for as long as the daemon runs. */
export function createHealthBook({ now, changed }: HealthOptions): HealthBook {
  const book = new Map<string, Kept>();
  const of = (source: SourceUrl): Kept => {
    const known = book.get(source.url);
    if (known !== undefined) return known;
    const health: Kept = {
      source,
      failures: 0,
      reason: undefined,
      since: now(),
      until: 0,
      latency: undefined,
      bytes: 0,
      strikes: 0,
      failedAt: 0,
    };
    book.set(source.url, health);
    return health;
  };
  const isSetAside = (source: SourceUrl) => {
    const left = of(source).until - now();
    // More than the longest is a clock that was set back.
    return left > 0 && left <= LONGEST_BACKOFF;
  };
  return {
    of,
    isSetAside,
    order: (sources) =>
      sources.toSorted((left, right) => Number(isSetAside(left)) - Number(isSetAside(right))),
    begin: (source) => {
      const health = of(source);
      if (health.failures > 0) health.until = now() + Math.max(PROBE, backoff(health.strikes));
    },
    succeed: (source, latency) => {
      const health = of(source);
      health.latency = latency;
      if (health.failures === 0) return;
      Object.assign(health, { failures: 0, reason: undefined, since: now(), until: 0 });
      changed(`source ${source.url} works again`, source);
    },
    fail: (source, reason) => {
      const health = of(source);
      health.reason = reason;
      if (strike(health, now())) {
        const pause = formatDuration(backoff(health.strikes));
        changed(`source ${source.url} is set aside for ${pause}: ${reason}`, source);
      }
    },
    received: (source, bytes) => {
      of(source).bytes += bytes;
    },
  };
}

/** Notes a failure, and tells whether the source had been working. */
function strike(health: Kept, time: number): boolean {
  const worked = health.failures === 0;
  // Whatever fails together fails once: ten requests must not make ten back-offs.
  if (!worked && time < health.failedAt + backoff(health.strikes)) return false;
  // Some answer every request with a head and break off every body.
  if (worked && time - health.since >= FORGIVEN_AFTER) health.strikes = 0;
  if (worked) health.since = time;
  health.failures += 1;
  health.strikes += 1;
  health.failedAt = time;
  health.until = time + backoff(health.strikes);
  return worked;
}

function backoff(strikes: number): number {
  return Math.min(FIRST_BACKOFF * 2 ** (strikes - 1), LONGEST_BACKOFF);
}
