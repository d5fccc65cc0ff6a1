import {
  algorithms,
  createDigestRows,
  type DigestRows,
  HASH_BYTES,
  rowKeyOf,
} from './digest-table.ts';
import type { NamedDigest } from './dist-line.ts';

/** One row to be. */
export interface GatheredRow extends NamedDigest {
  /** An index into the list of packages. */
  readonly package: number;
}

/** Takes rows in any order. */
export interface Gatherer {
  add(row: GatheredRow): void;
  /** All rows, in the order in which they are looked up. */
  rows(): DigestRows;
}

/** Rows that are gathered into one piece of memory. */
const BLOCK = 8192;

/** Gathers rows: without an object for each, and without a copy of all when there are more. */
export function createGatherer(): Gatherer {
  const blocks: DigestRows[] = [];
  let block = createDigestRows(0);
  let count = 0;
  return {
    add: ({ name, digest, package: index }) => {
      const at = count % BLOCK;
      if (at === 0) {
        block = createDigestRows(BLOCK);
        blocks.push(block);
      }
      block.names[at] = rowKeyOf(name);
      block.sizes[at] = digest.size;
      block.algorithms[at] = algorithms.indexOf(digest.algorithm);
      block.hashes.set(Buffer.from(digest.hash, 'hex'), at * HASH_BYTES);
      block.packages[at] = index;
      count += 1;
    },
    rows: () => {
      const sorted = createDigestRows(count);
      blocks.forEach(({ names }, number) => {
        const first = number * BLOCK;
        sorted.names.set(names.subarray(0, count - first), first);
      });
      orderOf(sorted.names).forEach((row, at) => {
        const from = blocks[Math.floor(row / BLOCK)];
        if (from !== undefined) copyRow({ from, row: row % BLOCK, to: sorted, at });
      });
      return sorted;
    },
  };
}

interface Copy {
  readonly from: DigestRows;
  readonly row: number;
  readonly to: DigestRows;
  readonly at: number;
}

function copyRow({ from, row, to, at }: Copy): void {
  to.names[at] = from.names[row] ?? 0n;
  to.sizes[at] = from.sizes[row] ?? 0;
  to.algorithms[at] = from.algorithms[row] ?? 0;
  to.packages[at] = from.packages[row] ?? 0;
  const start = row * HASH_BYTES;
  to.hashes.set(from.hashes.subarray(start, start + HASH_BYTES), at * HASH_BYTES);
}

/** Which row comes first, second, and so on. */
function orderOf(names: BigUint64Array): Uint32Array {
  return Uint32Array.from(names.keys()).sort((left, right) => {
    const [a = 0n, b = 0n] = [names[left], names[right]];
    // Equal ones in their old order: the sort is stable.
    return a < b ? -1 : Number(a > b);
  });
}
