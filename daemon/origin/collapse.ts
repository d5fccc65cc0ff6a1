import type { SourceUrl } from '../config/source-url.ts';
import { CacheError } from '../errors.ts';
import { Fill } from './fill.ts';
import type { FillOutcome } from './fill-report.ts';
import { createMemory } from './memory.ts';
import type { FillContext, FillMemories, FillOrder } from './order.ts';
import { cancelled } from './refusals.ts';

/** So long a Range without proof is refused, in ms, after the sources turned to another file. */
const REMEMBER_DIFFERENCE = 600_000;
/** So long, in ms, what two sources agree on is passed on without asking a second one again. */
const REMEMBER_AGREEMENT = 3_600_000;
/** So many whole bodies may wait for the disk: each holds a file open. */
const MAX_STORING = 1000;

/** The limits a registry obeys; read at each use, since a reload may change them. */
export interface FillLimits {
  /** Downloads at once. */
  readonly maxFills: number;
  /** Milliseconds for which "no source has it" is remembered. */
  readonly negativeTtl: number;
}

/** All fills in progress: one a key, whatever the number of clients. */
export interface Fills {
  /** The fill of a key, if there is one. */
  get(key: string): Fill | undefined;
  /**
   * Joins the fill of a key or starts it; the caller leaves it again.
   *
   * @throws CacheError `busy` when too many are in progress, `not-found` when every source said
   * so a moment ago.
   */
  join(order: FillOrder): { readonly fill: Fill; readonly collapsed: boolean };
  /** The sources of a file in the order in which they would be asked for it now. */
  sourcesFor(order: Pick<FillOrder, 'route' | 'mutable'>): readonly SourceUrl[];
  /** Remembers for a moment that every source said there is no such file. */
  noteMissing(key: string, error: CacheError): void;
  /** @throws CacheError `not-found` when every source said so a moment ago. */
  refuseMissing(key: string): void;
  /** When the sources were last asked about a stored copy in vain, milliseconds since the epoch. */
  lastFailure(key: string): number | undefined;
  /** The first byte in which a key's file differs from what clients got some minutes ago. */
  differsAt(key: string): number | undefined;
  /** What the last fill of a key came to. */
  lastOutcome(key: string): FillOutcome | undefined;
  /**
   * Forgets what is remembered of keys, and drops what is left of their downloads: they are asked
   * for again at once, from their first byte on. A fill that is running goes on.
   *
   * @returns the keys of which something was left.
   */
  forget(matches: (key: string) => boolean): Promise<readonly string[]>;
  all(): readonly Fill[];
  /** Gives every fill up and resolves when all of them have ended. */
  close(reason: string): Promise<void>;
}

/** Starts without a fill. */
export function createFills(context: FillContext, limits: () => FillLimits): Fills {
  const running = new Map<string, Fill>();
  let closing = false;
  const missing = createMemory<CacheError>(() => limits().negativeTtl);
  const failed = createMemory<number>(() => limits().negativeTtl);

  const outcomes = createMemory<FillOutcome>(() => Number.POSITIVE_INFINITY);
  const memories: FillMemories = {
    agreements: createMemory(() => REMEMBER_AGREEMENT),
    differences: createMemory(() => REMEMBER_DIFFERENCE),
  };

  // What only waits for the disk to sync is no download any more, unless the disk lags far behind.
  const isFull = (): boolean => {
    const { maxFills } = limits();
    if (running.size < maxFills) return false;
    const storing = [...running.values()].filter(({ whole }) => whole !== undefined).length;
    return running.size - storing >= maxFills || storing >= MAX_STORING;
  };

  const start = (order: FillOrder): Fill => {
    const { key } = order.route;
    if (isFull()) throw tooMany(key, limits().maxFills);
    if (closing) throw cancelled(key, 'the daemon stops');
    const fill = new Fill({ ...context, ...memories }, order, running.get(key)?.finished);
    running.set(key, fill);
    fill.start.catch((error: CacheError) => {
      if (fill.certainlyMissing) missing.set(key, error);
      // A check that failed for want of a disk or a free place says nothing of the sources.
      else if (order.stored !== undefined && /^(source|not-found)$/.test(error.code)) {
        failed.set(key, Date.now());
      }
    });
    fill.finished.then(() => {
      if (running.get(key) === fill) running.delete(key);
      if (fill.outcome !== undefined) outcomes.set(key, fill.outcome);
      // The file that the sources have now is fetched, whoever is still there to wait for it.
      if (fill.turned) startOver(order);
    }, ignore);
    return fill;
  };
  const startOver = (order: FillOrder): void => {
    if (!closing && !isFull() && !running.has(order.route.key)) start(order);
  };
  const refuseMissing = (key: string): void => {
    const known = missing.get(key);
    if (known !== undefined) throw known;
  };
  return {
    get: (key) => running.get(key),
    join: (order) => {
      const fill = running.get(order.route.key);
      if (fill?.joinable === true) return { fill: fill.join(), collapsed: true };
      if (order.stored === undefined) refuseMissing(order.route.key);
      return { fill: start(order).join(), collapsed: false };
    },
    sourcesFor: ({ route, mutable }) => {
      const ordered = context.asking().health.order(route.repository.sources);
      return mutable ? context.sticky.order(route.key, ordered) : ordered;
    },
    noteMissing: (key, error) => missing.set(key, error),
    refuseMissing,
    lastFailure: (key) => failed.get(key),
    differsAt: (key) => memories.differences.get(key),
    lastOutcome: (key) => outcomes.get(key),
    forget: (matches) => {
      missing.forget(matches);
      memories.agreements.forget(matches);
      failed.forget(matches);
      return context.partials.drop({ matches, busy: (key) => running.has(key) });
    },
    all: () => [...running.values()],
    close: async (reason) => {
      closing = true;
      const ending = [...running.values()];
      for (const fill of ending) fill.cancel(reason);
      await Promise.all(ending.map((fill) => fill.finished));
    },
  };
}

// Who waits for a fill hears of its failure; here only its traces are noted.
function ignore(): void {}

function tooMany(key: string, limit: number): CacheError {
  return new CacheError('busy', {
    verb: 'fetch',
    thing: key,
    reason: `${limit} downloads are in progress (MAX_FILLS); try again in a moment`,
  });
}
