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
  /** All of them in the order in which they are looked up; nothing can be added any more. */
  rows(): DigestRows;
}

/** Rows by which the memory grows. */
const STEP = 4096;
/** So much address space is set aside, and forty times what ::gentoo has. */
const MOST = 1024 * STEP;

/** Gathers rows, without an object for each and without a copy of all: they are megabytes. */
export function createGatherer(): Gatherer {
  const rows = createDigestRows(STEP, MOST);
  const hashes = () => Buffer.from(rows.hashes.buffer);
  let bytes = hashes();
  let count = 0;
  return {
    add: ({ name, digest, package: index }) => {
      rows.names[count] = rowKeyOf(name);
      rows.sizes[count] = digest.size;
      rows.algorithms[count] = algorithms.indexOf(digest.algorithm);
      bytes.write(digest.hash, count * HASH_BYTES, 'hex');
      rows.packages[count] = index;
      count += 1;
      // There is always one free: it takes a row that changes its place.
      if (count === rows.names.length) {
        grow(rows);
        bytes = hashes();
      }
    },
    rows: () => {
      sort(rows, count);
      return {
        names: rows.names.subarray(0, count),
        sizes: rows.sizes.subarray(0, count),
        algorithms: rows.algorithms.subarray(0, count),
        hashes: rows.hashes.subarray(0, count * HASH_BYTES),
        packages: rows.packages.subarray(0, count),
      };
    },
  };
}

function grow(rows: DigestRows): void {
  const { names } = rows;
  const larger = 1 + STEP / names.length;
  for (const { buffer } of Object.values(rows)) buffer.grow(buffer.byteLength * larger);
}

/** Puts rows in order where they are, with the one behind them as a place to put one aside. */
function sort(rows: DigestRows, count: number): void {
  const order = orderOf(rows.names.subarray(0, count));
  for (let first = 0; first < count; first += 1) {
    if (order[first] === first) continue;
    copyRow(rows, { from: first, to: count });
    // Round a circle: each place takes the row that belongs there, which leaves a place free.
    for (let to = first; ; ) {
      const from = order[to] ?? first;
      order[to] = to;
      copyRow(rows, { from: from === first ? count : from, to });
      if (from === first) break;
      to = from;
    }
  }
}

function copyRow(rows: DigestRows, { from, to }: { from: number; to: number }): void {
  rows.names[to] = rows.names[from] ?? 0n;
  rows.sizes[to] = rows.sizes[from] ?? 0;
  rows.algorithms[to] = rows.algorithms[from] ?? 0;
  rows.packages[to] = rows.packages[from] ?? 0;
  const start = from * HASH_BYTES;
  rows.hashes.copyWithin(to * HASH_BYTES, start, start + HASH_BYTES);
}

/** Which row belongs in the first place, in the second, and so on. */
function orderOf(names: BigUint64Array): Uint32Array {
  return Uint32Array.from(names.keys()).sort((left, right) => {
    const [a = 0n, b = 0n] = [names[left], names[right]];
    // Equal ones stay in their order: the sort is stable.
    return a < b ? -1 : Number(a > b);
  });
}
