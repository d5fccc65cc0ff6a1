import { createHistogram, type DayRow, type Use } from './histogram.ts';
import { type Problem, walk } from './walk.ts';

/** What a walk over the whole cache found. */
export interface WalkReport {
  /** When it began, milliseconds since the epoch. */
  readonly startedAt: number;
  readonly rows: readonly DayRow[];
  /** What was used just before or during the walk, as the walk saw it, by key. */
  readonly recent: ReadonlyMap<string, Use>;
  /** How many directories and files could not be looked at. */
  readonly failed: number;
  /** The first of those. */
  readonly problems: readonly Problem[];
}

/** A commit sets the last use, then syncs the file, and only then renames it into sight. */
const RECENT = 60_000;
const RECENT_ROWS = 10_000;
const PROBLEMS_TOLD = 100;

/** Counts the whole cache; synchronous, for a thread of its own. */
export function survey(root: string, now: number): WalkReport {
  const histogram = createHistogram();
  const recent = new Map<string, Use>();
  const problems: Problem[] = [];
  let failed = 0;
  const unreadable = (problem: Problem) => {
    failed += 1;
    if (problems.length < PROBLEMS_TOLD) problems.push(problem);
  };
  for (const { key, size, lastUse } of walk({ root, unreadable })) {
    histogram.add({ size, lastUse });
    if (lastUse >= now - RECENT && recent.size < RECENT_ROWS) recent.set(key, { size, lastUse });
  }
  return { startedAt: now, rows: histogram.rows(), recent, failed, problems };
}
