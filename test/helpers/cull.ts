import type { ExecutionContext } from 'ava';
import { createLayout } from '../../daemon/cache/layout.ts';
import { type CullJob, type CullOrder, type CullSummary, cull } from '../../daemon/room/cull.ts';
import { DAY } from '../../daemon/room/histogram.ts';
import { type Cache, makeCache } from './cache.ts';
import { type Planted, plant } from './entries.ts';

/** What a test does while a cull runs. */
export type Hooks = Partial<Pick<CullJob, 'now' | 'cancelled' | 'progress'>>;

/** Culls in this thread. */
export function culled(root: string, order: CullOrder, hooks: Hooks = {}): CullSummary {
  const layout = createLayout(root);
  const quiet = { now: Date.now(), cancelled: () => false, progress: () => {} };
  return cull({ layout, order, ...quiet, ...hooks });
}

/** The time so many days ago. */
export function daysAgo(days: number): number {
  return Date.now() - days * DAY;
}

/** A cache directory with entries in it. */
export async function cacheWith(
  t: ExecutionContext,
  entries: Readonly<Record<string, Planted>>,
): Promise<Cache> {
  const cache = await makeCache(t);
  await plant(cache.root, entries);
  return cache;
}

/** Entries of four ages and sizes. */
export const four = {
  'a/old': { size: 10, days: 100 },
  'a/older': { size: 20, days: 200 },
  'b/new': { size: 40, days: 1 },
  'c/d/oldest': { size: 80, days: 300 },
};
