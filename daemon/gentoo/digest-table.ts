import { hash } from 'node:crypto';

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

/**
 * Room for so many rows, all of them empty, that can grow to `most`. Memory that can is mapped for
 * itself: what is let go of goes back to the system, whichever thread had it.
 */
export function createDigestRows(count: number, most: number = count): DigestRows {
  const bytes = (each: number) =>
    new SharedArrayBuffer(count * each, { maxByteLength: most * each });
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
  return BigInt(`0x${hash('blake2b512', name).slice(0, 16)}`);
}

/** Each digest that a distfile of this name may have, once; none for a name of no Manifest. */
export function findDigests(rows: DigestRows, name: string): readonly Digest[] {
  return digestsOf(rows, rowsOf(rows, name));
}

/** The packages whose Manifests have the name, as indices into the list beside the table. */
export function findPackages(rows: DigestRows, name: string): readonly number[] {
  return [...new Set(rowsOf(rows, name).map((row) => rows.packages[row] ?? 0))];
}

/** How many names there are, and how many digests in all. */
export interface DigestCounts {
  readonly files: number;
  readonly digests: number;
}

/** Counts what the rows tell, each thing once. */
export function countDigests(rows: DigestRows): DigestCounts {
  let files = 0;
  let digests = 0;
  for (let row = 0; row < rows.names.length; ) {
    const same = rowsFrom(rows, row);
    files += 1;
    digests += same.length === 1 ? 1 : digestsOf(rows, same).length;
    row += same.length;
  }
  return { files, digests };
}

// Many a file is in the Manifests of hundreds of packages.
function digestsOf(rows: DigestRows, numbers: readonly number[]): readonly Digest[] {
  const found = new Map<string, Digest>();
  for (const row of numbers) {
    const digest = digestAt(rows, row);
    found.set(`${digest.size} ${digest.hash}`, digest);
  }
  return [...found.values()];
}

function digestAt({ sizes, algorithms: kinds, hashes }: DigestRows, row: number): Digest {
  return {
    size: sizes[row] ?? 0,
    algorithm: algorithms[kinds[row] ?? 0] ?? algorithms[0],
    hash: Buffer.from(hashes.buffer, row * HASH_BYTES, HASH_BYTES).toString('hex'),
  };
}

function rowsOf(rows: DigestRows, name: string): readonly number[] {
  const { names } = rows;
  const key = rowKeyOf(name);
  let low = 0;
  for (let high = names.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if ((names[middle] ?? 0n) < key) low = middle + 1;
    else high = middle;
  }
  return names[low] === key ? rowsFrom(rows, low) : [];
}

/** The rows of the name that begins with this one. */
function rowsFrom({ names }: DigestRows, first: number): readonly number[] {
  const rows = [first];
  for (let row = first + 1; row < names.length && names[row] === names[first]; row += 1) {
    rows.push(row);
  }
  return rows;
}
