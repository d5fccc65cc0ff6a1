import type { CulledEntry, CullSummary } from './cull.ts';
import { createPolicy } from './policy.ts';
import { type Problem, walk } from './walk.ts';

/** What is to be listed, and how; it travels to a worker. */
export interface ListOrder {
  /** Only entries whose key matches. */
  readonly matching?: RegExp;
  /** By key, by size (the largest first) or by last use (the oldest first). */
  readonly sort: 'path' | 'size' | 'used';
  /** The globs of the admin's that decide which names may change. */
  readonly rules: { readonly immutable: readonly string[]; readonly mutable: readonly string[] };
  /** The names of the repositories: the globs are matched below their roots. */
  readonly repositories: readonly string[];
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

const orders: Readonly<
  Record<ListOrder['sort'], (left: CulledEntry, right: CulledEntry) => number>
> = {
  path: (left, right) => (left.key < right.key ? -1 : 1),
  size: (left, right) => right.size - left.size,
  used: (left, right) => left.lastUse - right.lastUse,
};

/** Lists entries; synchronous, for a thread of its own. */
export function list({ root, order, cancelled, rows }: ListJob): ListSummary {
  const problems: Problem[] = [];
  const found: CulledEntry[] = [];
  let [bytes, failed] = [0, 0];
  const unreadable = (problem: Problem) => {
    failed += 1;
    if (problems.length < PROBLEMS_TOLD) problems.push(problem);
  };
  for (const { key, size, lastUse } of walk({ root, unreadable })) {
    if (order.matching?.test(key) === false) continue;
    found.push({ key, size, lastUse });
    bytes += size;
    if (found.length % ROWS === 0 && cancelled()) break;
  }
  found.sort(orders[order.sort]);
  const isMutable = classifier(order);
  for (let at = 0; at < found.length && !cancelled(); at += ROWS) {
    rows(found.slice(at, at + ROWS).map((entry) => ({ ...entry, mutable: isMutable(entry.key) })));
  }
  return { entries: found.length, bytes, failed, problems, cancelled: cancelled() };
}

function classifier({ rules, repositories }: ListOrder): (key: string) => boolean {
  const policy = createPolicy(rules);
  return (key) => {
    const slash = key.indexOf('/');
    const below = slash > 0 && repositories.includes(key.slice(0, slash));
    return policy.classify(below ? key.slice(slash + 1) : key).mutable;
  };
}
