import { setTimeout as delay } from 'node:timers/promises';
import type { Entry } from '../cache/entry.ts';
import type { Meta } from '../cache/meta.ts';
import { CacheError, describe } from '../errors.ts';
import type { CacheStatus } from '../http/cache-status.ts';
import type { Fill } from '../origin/fill.ts';
import type { FillStart } from '../origin/order.ts';
import type { Route } from '../origin/route.ts';
import type { Client } from './client.ts';
import type { ServeContext } from './context.ts';
import { respondStored } from './hit.ts';
import { respondFilling } from './miss.ts';

/** So long a client waits for a source to confirm what we have; pacman gives up after ten seconds. */
const PATIENCE = 3000;

/** A stored copy of a name that may change. */
export interface Old {
  readonly route: Route;
  readonly entry: Entry;
  readonly meta: Meta | undefined;
}

type Outcome = FillStart | { readonly kind: 'slow' | 'failed' };

/**
 * Asks a source whether a stored copy is still good, once for all clients that wait for it, and
 * answers with what is good now: the copy, its successor, or the copy for want of an answer.
 *
 * @throws CacheError `not-found` when the sources say that it is gone; the copy stays.
 */
export async function respondOld(client: Client, old: Old, context: ServeContext): Promise<void> {
  const { route, entry, meta } = old;
  const { counters, fills } = context;
  if (fills.lastFailure(route.key) !== undefined) {
    counters.stale += 1;
    return await respondStored(client, { entry, meta, cacheStatus: { fwd: 'stale' } }, context);
  }
  const { fill, collapsed } = joinCheck(old, context);
  try {
    await respondChecked(client, { ...old, fill, collapsed }, context);
  } finally {
    fill.leave();
  }
}

interface Checked extends Old {
  readonly fill: Fill;
  readonly collapsed: boolean;
}

async function respondChecked(client: Client, checked: Checked, context: ServeContext) {
  const { entry, meta, fill, collapsed } = checked;
  const { counters } = context;
  const fwd = client.cacheControl.noCache ? 'request' : 'stale';
  const joined: Pick<CacheStatus, 'collapsed'> = collapsed ? { collapsed: true } : {};
  const outcome = await outcomeOf(fill);
  switch (outcome.kind) {
    case 'body':
      if (collapsed) counters.collapsed += 1;
      else counters.misses += 1;
      return await respondFilling(
        client,
        { fill, head: outcome.head, cacheStatus: { fwd, fwdStatus: 200, stored: true, ...joined } },
        context,
      );
    case 'unchanged':
      counters.revalidated += 1;
      return await respondStored(
        client,
        { entry, meta, cacheStatus: { fwd, fwdStatus: 304, ...joined } },
        context,
      );
    default:
      counters.stale += 1;
      return await respondStored(
        client,
        { entry, meta, cacheStatus: { fwd: 'stale', ...joined, detail: outcome.kind } },
        context,
      );
  }
}

function joinCheck({ route, entry, meta }: Old, context: ServeContext) {
  const joined = context.fills.join({
    route,
    mutable: true,
    stored: entry,
    ...(meta === undefined ? {} : { previous: meta }),
  });
  if (!joined.collapsed) keepConfirmed({ fill: joined.fill, entry, meta }, context);
  return joined;
}

interface Check {
  readonly fill: Fill;
  readonly entry: Entry;
  readonly meta: Meta | undefined;
}

// The check may outlive its clients, so that its result is noted here and not by one of them.
function keepConfirmed({ fill, entry, meta }: Check, context: ServeContext): void {
  fill.start
    .then(async (start) => {
      if (start.kind !== 'unchanged' || meta === undefined) return;
      await context.meta.write(entry, { ...meta, checked: Date.now() });
    })
    .catch((error: unknown) => {
      if (!(error instanceof CacheError))
        context.log.warn(`Cannot note a check: ${describe(error)}`);
    });
}

async function outcomeOf(fill: Fill): Promise<Outcome> {
  const patience = new AbortController();
  const left = Math.max(0, fill.startedAt + PATIENCE - Date.now());
  const slow = delay(left, { kind: 'slow' as const }, { signal: patience.signal });
  slow.catch(() => {});
  try {
    return await Promise.race([fill.start, slow]);
  } catch (error) {
    if (error instanceof CacheError && error.code === 'not-found') throw error;
    return { kind: 'failed' };
  } finally {
    patience.abort();
  }
}
