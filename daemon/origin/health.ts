import type { SourceUrl } from '../config/source-url.ts';
import { formatDuration } from '../units.ts';

const FIRST_BACKOFF = 2000;
const LONGEST_BACKOFF = 300_000;

/** How a source has been doing. */
export interface SourceHealth {
  readonly source: SourceUrl;
  /** Failures since it last answered. */
  failures: number;
  /** Why it last failed. */
  reason: string | undefined;
  /** When its present state began, milliseconds since the epoch. */
  since: number;
  /** Set aside until then. */
  until: number;
  /** Milliseconds to its last answer's head. */
  latency: number | undefined;
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
}

/** What the book needs of the outside. */
export interface HealthOptions {
  readonly now: () => number;
  /** One line a change of state. */
  readonly changed: (line: string) => void;
}

/** Keeps the health of sources by URL, for as long as the daemon runs. */
export function createHealthBook({ now, changed }: HealthOptions): HealthBook {
  const book = new Map<string, SourceHealth>();
  const of = (source: SourceUrl): SourceHealth => {
    const known = book.get(source.url);
    if (known !== undefined) return known;
    const health: SourceHealth = {
      source,
      failures: 0,
      reason: undefined,
      since: now(),
      until: 0,
      latency: undefined,
    };
    book.set(source.url, health);
    return health;
  };
  const isSetAside = (source: SourceUrl) => of(source).until > now();
  return {
    of,
    isSetAside,
    order: (sources) =>
      sources.toSorted((left, right) => Number(isSetAside(left)) - Number(isSetAside(right))),
    begin: (source) => {
      const health = of(source);
      if (health.failures > 0) health.until = now() + backoff(health.failures);
    },
    succeed: (source, latency) => {
      const health = of(source);
      health.latency = latency;
      if (health.failures === 0) return;
      Object.assign(health, { failures: 0, reason: undefined, since: now(), until: 0 });
      changed(`source ${source.url} works again`);
    },
    fail: (source, reason) => {
      const health = of(source);
      if (health.failures === 0) {
        health.since = now();
        changed(
          `source ${source.url} is set aside for ${formatDuration(FIRST_BACKOFF)}: ${reason}`,
        );
      }
      health.failures += 1;
      health.reason = reason;
      health.until = now() + backoff(health.failures);
    },
  };
}

function backoff(failures: number): number {
  return Math.min(FIRST_BACKOFF * 2 ** (failures - 1), LONGEST_BACKOFF);
}
