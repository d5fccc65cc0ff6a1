import type { Entry } from '../cache/entry.ts';
import type { Meta } from '../cache/meta.ts';
import type { Fill } from '../origin/fill.ts';
import type { FillHead } from '../origin/order.ts';
import type { Route } from '../origin/route.ts';
import type { Client } from './client.ts';
import type { ServeContext } from './context.ts';

/** What we have of a key at this moment. Whoever gets an entry releases its file. */
export type Found =
  /** Stored, and good as it is. */
  | { readonly kind: 'hit'; readonly entry: Entry; readonly meta: Meta | undefined }
  /** All there, and about to be stored; the fill is joined, and whoever gets it leaves it. */
  | { readonly kind: 'whole'; readonly fill: Fill; readonly head: FillHead }
  /** Stored, but its name may change and it was not confirmed lately. */
  | { readonly kind: 'old'; readonly entry: Entry; readonly meta: Meta | undefined }
  | { readonly kind: 'miss'; readonly mutable: boolean };

/** Looks a key up: among the fills first, then on disk. */
export async function lookUp(
  client: Pick<Client, 'cacheControl'>,
  route: Route,
  context: ServeContext,
): Promise<Found> {
  const { mutable } = context.settings().policy.classify(route.path);
  const fill = context.fills.get(route.key);
  if (fill?.whole !== undefined) return { kind: 'whole', fill: fill.join(), head: fill.whole };
  // Nobody who joins the first download of a file need look for it on disk.
  const isFirst = fill?.joinable === true && fill.order.stored === undefined;
  if (isFirst && !mutable) return { kind: 'miss', mutable };
  const entry = context.store.peek(route.key) ?? (await context.store.find(route.key));
  if (entry === undefined) return { kind: 'miss', mutable };
  if (!mutable) return { kind: 'hit', entry, meta: undefined };
  const meta = await context.meta.read(entry);
  const kind = isFresh({ client, meta, ttl: context.settings().config.mutableTtl }) ? 'hit' : 'old';
  return { kind, entry, meta };
}

interface Freshness {
  readonly client: Pick<Client, 'cacheControl'>;
  readonly meta: Meta | undefined;
  readonly ttl: number;
}

// RFC 9111 section 5.2.1: only-if-cached wants what is there, no-cache and max-age a fresh look.
function isFresh({ client, meta, ttl }: Freshness): boolean {
  const { onlyIfCached, noCache, maxAge } = client.cacheControl;
  if (onlyIfCached) return true;
  if (meta === undefined || noCache) return false;
  const age = Date.now() - meta.checked;
  return age >= 0 && age < Math.min(ttl, (maxAge ?? Number.POSITIVE_INFINITY) * 1000);
}
