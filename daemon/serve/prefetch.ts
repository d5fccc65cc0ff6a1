import { setTimeout as delay } from 'node:timers/promises';
import { CacheError } from '../errors.ts';
import type { Fill } from '../origin/fill.ts';
import type { Route } from '../origin/route.ts';
import type { ServeContext } from './context.ts';
import { lookUp } from './lookup.ts';
import { startCheck } from './revalidate.ts';

/** So long, in ms, a prefetch waits at most until it tries again. */
const RETRY_AFTER = 5000;

/** What became of a file that somebody wants to be stored. */
export interface Prefetched {
  readonly outcome: 'stored' | 'present';
  readonly bytes: number;
}

/** Who waits for a prefetch. */
export interface PrefetchWatch {
  /** Told of the fill, as soon as there is one. */
  readonly filling: (fill: Fill) => void;
  /** Gives it up; what was fetched until then helps the next attempt. */
  readonly signal: AbortSignal;
}

/**
 * Sees to it that a file is stored and fresh, by the same fills that serve clients.
 *
 * @throws CacheError that says why it is not stored.
 */
export async function prefetch(
  route: Route,
  watch: PrefetchWatch,
  context: ServeContext,
): Promise<Prefetched> {
  if (route.pass) throw unstorable(route, 'directories and queries are never stored');
  const found = await lookUp(
    { cacheControl: { onlyIfCached: false, noCache: false } },
    route,
    context,
  );
  switch (found.kind) {
    case 'whole':
      return { ...(await follow(found.fill, watch)), outcome: 'present' };
    case 'miss': {
      const order = { route, mutable: found.mutable };
      return await patiently(() => follow(context.fills.join(order).fill, watch), watch, context);
    }
    case 'hit':
      found.entry.file.release();
      return { outcome: 'present', bytes: found.entry.size };
    case 'old':
      try {
        const check = startCheck({ ...found, route }, context);
        if (check === undefined) return { outcome: 'present', bytes: found.entry.size };
        return await follow(check.fill, watch);
      } finally {
        found.entry.file.release();
      }
  }
}

// The limits hold for everybody: when there is no place, the next end makes one.
async function patiently(
  attempt: () => Promise<Prefetched>,
  { signal }: PrefetchWatch,
  { fills }: ServeContext,
): Promise<Prefetched> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const busy = error instanceof CacheError && error.code === 'busy';
      if (!busy || signal.aborted) throw error;
      // What else has a place may end unheard.
      const waited = new AbortController();
      const later = delay(RETRY_AFTER, undefined, { signal: waited.signal }).catch(() => {});
      const ends = fills.all().map(({ finished }) => finished);
      await Promise.race([later, ...ends]).finally(() => waited.abort());
    }
  }
}

async function follow(fill: Fill, { filling, signal }: PrefetchWatch): Promise<Prefetched> {
  const stop = () => {
    // Others may be served from it.
    if (fill.report().clients === 1) fill.cancel('nobody waits for it any more');
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) stop();
    filling(fill);
    await fill.start;
    await fill.finished;
    return prefetchedBy(fill);
  } finally {
    signal.removeEventListener('abort', stop);
    fill.leave();
  }
}

function prefetchedBy(fill: Fill): Prefetched {
  const { outcome, order } = fill;
  switch (outcome?.kind) {
    case 'stored':
      return { outcome: 'stored', bytes: outcome.bytes };
    case 'unchanged':
      return { outcome: 'present', bytes: order.stored?.size ?? 0 };
    default:
      throw unstorable(order.route, outcome?.reason ?? 'its end is uncertain, so it is not stored');
  }
}

function unstorable({ key }: Route, reason: string): CacheError {
  return new CacheError('source', { verb: 'fetch', thing: key, reason });
}
