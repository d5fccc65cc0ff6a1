import { lstatSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { lastUseOf } from '../cache/entry.ts';
import type { Layout } from '../cache/layout.ts';
import { CacheError, describe, errnoOf } from '../errors.ts';
import { createHistogram, type DayRow, dayOf } from './histogram.ts';
import { createMetaSweeper } from './meta-sweep.ts';
import { type FilePath, type Problem, type WalkedEntry, walk } from './walk.ts';

/**
 * This program's own date. A clock that shows an earlier one is wrong, and so is what it says of
 * last uses; a constant, because a file's mtime is anything from 1970 to the hour of a checkout.
 */
export const MADE = Date.UTC(2026, 10, 1);

/** What is to go. With neither an age nor a size nothing does; with both, what either asks for. */
export interface CullOrder {
  /** Whatever was last used before this, milliseconds since the epoch. */
  readonly usedBefore?: number;
  /** The least recently used, until what is left has at most so many bytes. */
  readonly downTo?: number;
  /** Only entries whose key matches are looked at: counted in `downTo`, and removed. */
  readonly matching?: RegExp;
  /** Whatever was used lately goes too: what somebody wants away is away. */
  readonly purge?: boolean;
  /** Tells what would go, and removes nothing. */
  readonly dryRun?: boolean;
  /** Progress names the entries. */
  readonly list?: boolean;
  /** The day up to which the census expects `downTo` to reach: a good guess spares a walk. */
  readonly cutOff?: number;
}

/** An entry that went, or would go. */
export interface CulledEntry {
  readonly key: string;
  readonly size: number;
  readonly lastUse: number;
}

/** How far a cull has come. */
export interface CullProgress {
  /** So far, in all. */
  readonly entries: number;
  readonly bytes: number;
  /** Entries that are to go in all, as it looked at the beginning. */
  readonly total: number;
  /** What went since the last progress, 1,000 at most, when the order asks for it. */
  readonly culled: readonly CulledEntry[];
}

/** What a cull did. */
export interface CullSummary {
  /** Removed, or what a dry run would remove. */
  readonly entries: number;
  readonly bytes: number;
  /** Served or replaced since they were looked at, and therefore kept. */
  readonly kept: number;
  /** Could not be read or removed, and stayed. */
  readonly failed: number;
  /** The first of those. */
  readonly problems: readonly Problem[];
  readonly cancelled: boolean;
  /** What is gone, by day of last use; nothing after a dry run. */
  readonly removed: readonly DayRow[];
}

/** An order, and the world it is carried out in. */
export interface CullJob {
  readonly layout: Layout;
  readonly order: CullOrder;
  readonly now: number;
  /** Asked before each removal. */
  readonly cancelled: () => boolean;
  readonly progress: (progress: CullProgress) => void;
}

const PROBLEMS_TOLD = 100;
const PROGRESS_ROWS = 1000;
const PROGRESS_EVERY = 250;

/**
 * Removes entries, the least recently used first, with what belongs to them: their records and the
 * directories they leave empty. Synchronous, for a thread of its own.
 *
 * @throws CacheError `storage` when the clock is wrong; then nothing was removed.
 */
export function cull(job: CullJob): CullSummary {
  const { layout, order } = job;
  // Only last use has to do with the time.
  if (order.purge !== true) refuseWrongClock(layout.root, job.now);
  const book = openBook(job);
  const gathered = gather(job, book.problem);
  const { candidates, excess } = gathered;
  const usedBefore = limitOf(order);
  book.plan(countPlanned(gathered, usedBefore));
  const sweepMeta = createMetaSweeper(layout);
  const left = new Set<FilePath>();
  let over = excess;
  let cancelled = false;
  for (const entry of candidates) {
    cancelled = job.cancelled();
    if (cancelled || (entry.lastUse >= usedBefore && over <= 0)) break;
    const outcome = order.dryRun === true ? 'removed' : remove(entry, order);
    if (typeof outcome === 'object') book.problem(outcome);
    else if (outcome === 'kept') book.kept();
    else over -= entry.size;
    if (outcome !== 'removed') continue;
    book.removed(entry);
    if (order.dryRun === true) continue;
    sweepMeta(entry);
    left.add(entry.directory);
  }
  for (const directory of left) removeEmpty(directory, layout.root);
  return book.close(cancelled);
}

function refuseWrongClock(root: string, now: number): void {
  if (now >= MADE) return;
  const [made, today] = [MADE, now].map((time) => new Date(time).toISOString().slice(0, 10));
  throw new CacheError('storage', {
    verb: 'cull',
    thing: root,
    reason: `the clock says ${today}, which is before this program was made (${made}); set it first`,
  });
}

interface Gathered {
  /** The least recently used first. */
  readonly candidates: readonly WalkedEntry[];
  /** Bytes above `downTo`. */
  readonly excess: number;
}

// Only what may go is kept in mind; how far that reaches, a first walk may have to find out.
function gather({ layout, order }: CullJob, unreadable: (problem: Problem) => void): Gathered {
  const { downTo = Number.POSITIVE_INFINITY } = order;
  const usedBefore = limitOf(order);
  let upTo = order.cutOff ?? Number.NEGATIVE_INFINITY;
  for (let attempt = 1; ; attempt += 1) {
    const candidates: WalkedEntry[] = [];
    const histogram = createHistogram();
    const problems: Problem[] = [];
    for (const entry of walk({ root: layout.root, unreadable: (found) => problems.push(found) })) {
      if (order.matching !== undefined && !order.matching.test(entry.key)) continue;
      if (downTo !== Number.POSITIVE_INFINITY) histogram.add(entry);
      if (entry.lastUse < usedBefore || dayOf(entry.lastUse) <= upTo) candidates.push(entry);
    }
    const excess = histogram.totals().bytes - downTo;
    const needed = histogram.cutOff(excess);
    if (needed <= upTo || attempt === 2) {
      problems.forEach(unreadable);
      return { candidates: candidates.sort((a, b) => a.lastUse - b.lastUse), excess };
    }
    upTo = needed;
  }
}

function countPlanned({ candidates, excess }: Gathered, usedBefore: number): number {
  let over = excess;
  const last = candidates.findIndex(({ lastUse, size }) => {
    const stays = lastUse >= usedBefore && over <= 0;
    over -= size;
    return stays;
  });
  return last < 0 ? candidates.length : last;
}

function limitOf({ usedBefore, purge }: CullOrder): number {
  return purge === true ? Number.POSITIVE_INFINITY : (usedBefore ?? Number.NEGATIVE_INFINITY);
}

// Looked at again right before: an entry that was served or replaced in the meantime stays.
function remove(entry: WalkedEntry, { purge }: CullOrder): 'removed' | 'kept' | 'gone' | Problem {
  try {
    const found = lstatSync(entry.file, { throwIfNoEntry: false });
    if (found === undefined) return 'gone';
    const same = found.size === entry.size && lastUseOf(found) <= entry.lastUse;
    if (!found.isFile() || !(same || purge === true)) return 'kept';
    unlinkSync(entry.file);
    return 'removed';
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'gone';
    return { path: entry.file.toString(), reason: describe(error) };
  }
}

// Whatever speaks against it (a new file above all) speaks for leaving the directory.
function removeEmpty(directory: FilePath, root: string): void {
  try {
    for (let path = directory; path.toString() !== root; path = parentOf(path)) rmdirSync(path);
  } catch {}
}

function parentOf(path: FilePath): FilePath {
  return typeof path === 'string' ? dirname(path) : path.subarray(0, path.lastIndexOf('/'));
}

function openBook({ order, progress }: CullJob) {
  const gone = createHistogram();
  const problems: Problem[] = [];
  let [entries, bytes, total, kept, failed, noted] = [0, 0, 0, 0, 0, 0];
  let culled: CulledEntry[] = [];
  let toldAt = performance.now();
  const tell = (): void => {
    progress({ entries, bytes, total, culled });
    culled = [];
    noted = 0;
    toldAt = performance.now();
  };
  return {
    plan: (planned: number) => {
      total = planned;
    },
    kept: () => {
      kept += 1;
    },
    problem: (problem: Problem) => {
      failed += 1;
      if (problems.length < PROBLEMS_TOLD) problems.push(problem);
    },
    removed: ({ key, size, lastUse }: WalkedEntry) => {
      entries += 1;
      bytes += size;
      noted += 1;
      if (order.dryRun !== true) gone.add({ size, lastUse });
      if (order.list === true) culled.push({ key, size, lastUse });
      if (noted >= PROGRESS_ROWS || performance.now() - toldAt >= PROGRESS_EVERY) tell();
    },
    close: (cancelled: boolean): CullSummary => {
      if (noted > 0) tell();
      return { entries, bytes, kept, failed, problems, cancelled, removed: gone.rows() };
    },
  };
}
