import { CacheError } from '../errors.ts';
import { Fill } from './fill.ts';
import type { FillContext, FillOrder } from './order.ts';

/** More missing names than this are not remembered at once. */
const REMEMBERED = 10_000;

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
   * Joins the fill of a key or starts it.
   *
   * @throws CacheError `busy` when too many are in progress, `not-found` when every source said
   * so a moment ago.
   */
  join(order: FillOrder): { readonly fill: Fill; readonly collapsed: boolean };
  /** Remembers for a moment that every source said there is no such file. */
  noteMissing(key: string, error: CacheError): void;
  /** @throws CacheError `not-found` when every source said so a moment ago. */
  refuseMissing(key: string): void;
  /** When a source was last asked about a stored copy in vain, milliseconds since the epoch. */
  lastFailure(key: string): number | undefined;
  all(): readonly Fill[];
  /** Gives every fill up and resolves when all of them have ended. */
  close(reason: string): Promise<void>;
}

/** Starts without a fill. */
export function createFills(context: FillContext, limits: () => FillLimits): Fills {
  const running = new Map<string, Fill>();
  const missing = createMemory<CacheError>(() => limits().negativeTtl);
  const failed = createMemory<number>(() => limits().negativeTtl);

  const start = (order: FillOrder): Fill => {
    const { key } = order.route;
    if (running.size >= limits().maxFills) throw tooMany(key, limits().maxFills);
    const fill = new Fill(context, order, running.get(key)?.finished);
    running.set(key, fill);
    fill.start.catch((error: unknown) => {
      if (order.stored === true) failed.set(key, Date.now());
      else if (fill.certainlyMissing && error instanceof CacheError) missing.set(key, error);
    });
    fill.finished.then(() => {
      if (running.get(key) === fill) running.delete(key);
    }, ignore);
    return fill;
  };
  const refuseMissing = (key: string): void => {
    const known = missing.get(key);
    if (known !== undefined) throw known;
  };
  return {
    get: (key) => running.get(key),
    join: (order) => {
      const fill = running.get(order.route.key);
      if (fill !== undefined && fill.state !== 'failed') return { fill, collapsed: true };
      if (order.stored !== true) refuseMissing(order.route.key);
      return { fill: start(order), collapsed: false };
    },
    noteMissing: (key, error) => missing.set(key, error),
    refuseMissing,
    lastFailure: (key) => failed.get(key),
    all: () => [...running.values()],
    close: async (reason) => {
      const ending = [...running.values()];
      for (const fill of ending) fill.cancel(reason);
      await Promise.all(ending.map((fill) => fill.finished));
    },
  };
}

// A fill's end is never an error.
function ignore(): void {}

function tooMany(key: string, limit: number): CacheError {
  return new CacheError('busy', {
    verb: 'fetch',
    thing: key,
    reason: `${limit} downloads are in progress (MAX_FILLS); try again in a moment`,
  });
}

interface Memory<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
}

function createMemory<Value>(lifetime: () => number): Memory<Value> {
  const kept = new Map<string, { readonly value: Value; readonly at: number }>();
  return {
    get: (key) => {
      const found = kept.get(key);
      if (found === undefined) return undefined;
      if (Date.now() - found.at < lifetime()) return found.value;
      kept.delete(key);
      return undefined;
    },
    set: (key, value) => {
      kept.delete(key);
      kept.set(key, { value, at: Date.now() });
      for (const oldest of kept.keys()) {
        if (kept.size <= REMEMBERED) return;
        kept.delete(oldest);
      }
    },
  };
}
