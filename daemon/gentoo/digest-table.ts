import { createHash } from 'node:crypto';

/** The hash functions of Manifests that we know, as node:crypto calls them; the better one first. */
export const algorithms = ['blake2b512', 'sha512'] as const;

/** One of `algorithms`. */
export type Algorithm = (typeof algorithms)[number];

/** What a Manifest says a distfile must be. */
export interface Digest {
  /** Bytes. */
  readonly size: number;
  readonly algorithm: Algorithm;
  /** In lower-case hexadecimal digits. */
  readonly hash: string;
}

/** Bytes of a hash, by either algorithm. */
export const HASH_BYTES = 64;

/**
 * All digests, in memory that threads share: rows in the order of their names' hashes, with the
 * rows of one name side by side. A row costs 85 bytes.
 */
export interface DigestRows {
  /** The first eight bytes of BLAKE2B of the name, ascending. */
  readonly names: BigUint64Array<SharedArrayBuffer>;
  readonly sizes: Float64Array<SharedArrayBuffer>;
  /** Indices into `algorithms`. */
  readonly algorithms: Uint8Array<SharedArrayBuffer>;
  /** `HASH_BYTES` a row. */
  readonly hashes: Uint8Array<SharedArrayBuffer>;
  /** Which package's Manifest has the row: an index into a list kept beside the table. */
  readonly packages: Uint32Array<SharedArrayBuffer>;
}

/** Room for so many rows, all of them empty. */
export function createDigestRows(count: number): DigestRows {
  const bytes = (each: number) => new SharedArrayBuffer(count * each);
  return {
    names: new BigUint64Array(bytes(8)),
    sizes: new Float64Array(bytes(8)),
    algorithms: new Uint8Array(bytes(1)),
    hashes: new Uint8Array(bytes(HASH_BYTES)),
    packages: new Uint32Array(bytes(4)),
  };
}

/** By what a name is looked up in the rows. */
export function rowKeyOf(name: string): bigint {
  return createHash('blake2b512').update(name).digest().readBigUInt64BE(0);
}

/** Every digest that a distfile of this name may have; none for a name that no Manifest has. */
export function findDigests(rows: DigestRows, name: string): readonly Digest[] {
  const found: Digest[] = [];
  for (const row of rowsOf(rows, name)) {
    const at = row * HASH_BYTES;
    found.push({
      size: rows.sizes[row] ?? 0,
      algorithm: algorithms[rows.algorithms[row] ?? 0] ?? algorithms[0],
      hash: Buffer.from(rows.hashes.subarray(at, at + HASH_BYTES)).toString('hex'),
    });
  }
  return found;
}

/** The packages whose Manifests have the name, as indices into the list beside the table. */
export function findPackages(rows: DigestRows, name: string): readonly number[] {
  return [...new Set(rowsOf(rows, name).map((row) => rows.packages[row] ?? 0))];
}

function rowsOf({ names }: DigestRows, name: string): readonly number[] {
  const key = rowKeyOf(name);
  let low = 0;
  for (let high = names.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if ((names[middle] ?? 0n) < key) low = middle + 1;
    else high = middle;
  }
  const found: number[] = [];
  for (let row = low; names[row] === key; row += 1) found.push(row);
  return found;
}
