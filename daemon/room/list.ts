import type { CulledEntry, CullSummary } from './cull.ts';
import { createNames, type Naming } from './names.ts';
import { type Problem, walk } from './walk.ts';

/** What is to be listed, and how; it travels to a worker. */
export interface ListOrder extends Naming {
  /** Only entries whose key matches. */
  readonly matching?: RegExp;
  /** Directory by directory, by size (the largest first) or by last use (the oldest first). */
  readonly sort: 'path' | 'size' | 'used';
}

/** One entry of a list. */
export interface ListedEntry extends CulledEntry {
  readonly mutable: boolean;
}

/** What a list came to. */
export type ListSummary = Pick<
  CullSummary,
  'entries' | 'bytes' | 'failed' | 'problems' | 'cancelled'
>;

/** An order, and who takes the rows. */
export interface ListJob {
  readonly root: string;
  readonly order: ListOrder;
  /** Asked now and then. */
  readonly cancelled: () => boolean;
  /** Takes 1,000 rows at most. */
  readonly rows: (rows: readonly ListedEntry[]) => void;
}

const ROWS = 1000;
const PROBLEMS_TOLD = 100;

const orders = {
  size: (left: CulledEntry, right: CulledEntry) => right.size - left.size,
  used: (left: CulledEntry, right: CulledEntry) => left.lastUse - right.lastUse,
};

/** Lists entries; synchronous, for a thread of its own. */
export function list({ root, order, cancelled, rows }: ListJob): ListSummary {
  const problems: Problem[] = [];
  const namedBy = createNames(order);
  let found: CulledEntry[] = [];
  let [entries, bytes, failed] = [0, 0, 0];
  const unreadable = (problem: Problem) => {
    failed += 1;
    if (problems.length < PROBLEMS_TOLD) problems.push(problem);
  };
  const emit = () => {
    for (let at = 0; at < found.length && !cancelled(); at += ROWS) {
      const piece = found.slice(at, at + ROWS);
      rows(piece.map((entry) => ({ ...entry, mutable: namedBy(entry.key).mutable })));
    }
    found = [];
  };
  // A walk goes by path already: nothing has to be kept in mind for that.
  const sorted = order.sort === 'path';
  for (const { key, size, lastUse } of walk({ root, unreadable, sorted })) {
    if (order.matching?.test(key) === false) continue;
    found.push({ key, size, lastUse });
    entries += 1;
    bytes += size;
    if (entries % ROWS !== 0) continue;
    if (cancelled()) break;
    if (sorted) emit();
  }
  if (order.sort !== 'path') found.sort(orders[order.sort]);
  emit();
  return { entries, bytes, failed, problems, cancelled: cancelled() };
}
