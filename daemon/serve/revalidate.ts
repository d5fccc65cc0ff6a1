import { setTimeout as delay } from 'node:timers/promises';
import type { Entry } from '../cache/entry.ts';
import type { Meta } from '../cache/meta.ts';
import { CacheError, describe } from '../errors.ts';
import type { CacheStatus } from '../http/cache-status.ts';
import type { Fill } from '../origin/fill.ts';
import type { FillStart } from '../origin/order.ts';
import { isCertain, isUnanimous } from '../origin/refusals.ts';
import type { Route } from '../origin/route.ts';
import type { Client } from './client.ts';
import type { ServeContext } from './context.ts';
import { respondStored } from './hit.ts';
import { isLayoutConf, orLayoutConf } from './layout-conf.ts';
import { respondFilling } from './miss.ts';
import { isDiskTrouble, respondUnstored } from './unstored.ts';

/** So long a client waits for a source to confirm what we have; pacman gives up after ten seconds. */
const PATIENCE = 3000;

/** A stored copy of a name that may change. */
export interface Old {
  readonly route: Route;
  readonly entry: Entry;
  readonly meta: Meta | undefined;
}

type Outcome =
  | FillStart
  | { readonly kind: 'slow' | 'failed' }
  /** There is another body, and no room for it. */
  | { readonly kind: 'unstorable'; readonly detail: string };

/**
 * Asks a source whether a stored copy is still good, once for all clients that wait for it, and
 * answers with what is good now: the copy, its successor, or the copy for want of an answer.
 *
 * @throws CacheError `not-found` when the sources say that it is gone; the copy stays.
 */
export function respondOld(client: Client, old: Old, context: ServeContext): Promise<void> {
  const answer = () => answerOld(client, old, context);
  return orLayoutConf(client, { route: old.route, answer }, context);
}

async function answerOld(client: Client, old: Old, context: ServeContext): Promise<void> {
  const check = startCheck(old, context);
  if (check === undefined) return await respondStale(client, { ...old, status: {} }, context);
  try {
    await respondChecked(client, { ...old, ...check }, context);
  } finally {
    check.fill.leave();
  }
}

/**
 * Joins the check of a stored copy or starts it; the caller leaves its fill. Undefined where it
 * would be in vain, or cannot be had now.
 *
 * @throws CacheError `not-found` when the sources said a moment ago that it is gone.
 */
export function startCheck(old: Old, context: ServeContext) {
  const { route } = old;
  try {
    context.fills.refuseMissing(route.key);
    return context.fills.lastFailure(route.key) === undefined ? joinCheck(old, context) : undefined;
  } catch (error) {
    if (!(error instanceof CacheError) || isGone(error, route)) throw error;
    return undefined;
  }
}

interface Checked extends Old {
  readonly fill: Fill;
  readonly collapsed: boolean;
}

async function respondChecked(client: Client, checked: Checked, context: ServeContext) {
  const { route, entry, meta, fill, collapsed } = checked;
  const { counters } = context;
  const fwd = isFresh(meta, context) ? 'request' : 'stale';
  const joined: Pick<CacheStatus, 'collapsed'> = collapsed ? { collapsed: true } : {};
  const outcome = await outcomeOf(fill);
  switch (outcome.kind) {
    case 'body': {
      if (collapsed) counters.collapsed += 1;
      else counters.misses += 1;
      const stored = outcome.head.stored ? { stored: true as const } : {};
      const cacheStatus: CacheStatus = { fwd, fwdStatus: 200, ...stored, ...joined };
      return await respondFilling(client, { fill, head: outcome.head, cacheStatus }, context);
    }
    case 'unchanged': {
      counters.revalidated += 1;
      const cacheStatus: CacheStatus = { fwd, fwdStatus: 304, ...joined };
      return await respondStored(client, { entry, meta, cacheStatus }, context);
    }
    case 'unstorable':
      return await respondUnstored(client, { route, mutable: true, ...outcome }, context);
    default: {
      const status = { ...joined, detail: outcome.kind };
      return await respondStale(client, { ...checked, status }, context);
    }
  }
}

// RFC 9211 section 2.2: the client refused a fresh copy, or the copy was not fresh.
function isFresh(meta: Meta | undefined, { settings }: ServeContext): boolean {
  return meta !== undefined && Date.now() - meta.checked < settings().config.mutableTtl;
}

interface Stale extends Old {
  readonly status: CacheStatus;
}

function respondStale(client: Client, { entry, meta, status }: Stale, context: ServeContext) {
  context.counters.stale += 1;
  const cacheStatus: CacheStatus = { fwd: 'stale', ...status };
  return respondStored(client, { entry, meta, cacheStatus }, context);
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
    if (isGone(error, fill.order.route)) throw error;
    if (!isDiskTrouble(error)) return { kind: 'failed' };
    return { kind: 'unstorable', detail: error.detail ?? error.code };
  } finally {
    patience.abort();
  }
}

/** Without layout.conf nothing can be fetched, so that it has to be gone everywhere. */
function isGone(error: unknown, route: Route): boolean {
  return isLayoutConf(route) ? isUnanimous(error) : isCertain(error);
}
