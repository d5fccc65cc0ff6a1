import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { type Algorithm, algorithms, type Digest } from '../gentoo/digest-table.ts';
import type { FilePath } from './walk.ts';

/** Bytes read in one call, at most. */
export const PIECE = 1024 ** 2;

/** A file open for reading. */
export interface OpenFile {
  readonly descriptor: number;
  readonly stat: Stats;
}

/**
 * Lets somebody read a file, and closes it. Follows no symlink at the end of its path, waits for no
 * FIFO, and leaves no trace in its times, where this user may do that: for owners alone.
 *
 * @throws the error of the system.
 */
export function withFile<Result>(path: FilePath, use: (file: OpenFile) => Result): Result {
  const descriptor = openQuietly(path);
  try {
    return use({ descriptor, stat: fstatSync(descriptor) });
  } finally {
    closeSync(descriptor);
  }
}

function openQuietly(path: FilePath): number {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  try {
    return openSync(path, flags | constants.O_NOATIME);
  } catch (error) {
    if (errnoOf(error) !== 'EPERM') throw error;
    return openSync(path, flags);
  }
}

/**
 * Reads a file, as long as it was when it was opened, piece by piece; the pieces share their memory.
 * Synchronous, for a thread of its own.
 */
export function* piecesOf({ descriptor, stat }: OpenFile, size = PIECE): Generator<Buffer> {
  const piece = Buffer.allocUnsafe(size);
  for (let position = 0; position < stat.size; ) {
    // No further: somebody may be writing to it, faster than we read.
    const wanted = Math.min(size, stat.size - position);
    const bytes = readSync(descriptor, piece, 0, wanted, position);
    if (bytes === 0) return;
    position += bytes;
    yield piece.subarray(0, bytes);
  }
}

/** A file that is being compared with what the Manifests say. */
export interface Comparison {
  add(piece: Buffer): void;
  /** What speaks against it, or undefined: once all of it was added. */
  verdict(): string | undefined;
}

/** Why a file of so many bytes cannot be what the Manifests say, or undefined. */
export function wrongSize(size: number, digests: readonly Digest[]): string | undefined {
  if (digests.some((digest) => digest.size === size)) return undefined;
  const sizes = [...new Set(digests.map((digest) => digest.size))].join(' or ');
  return `expected ${sizes} bytes, found ${size}`;
}

/** Begins to compare a file with its digests, of which it has to be one. */
export function compare(digests: readonly Digest[]): Comparison {
  const hashes = algorithms
    .filter((name) => digests.some(({ algorithm }) => algorithm === name))
    .map((name) => ({ name, hash: createHash(name) }));
  let bytes = 0;
  return {
    add: (piece) => {
      bytes += piece.length;
      for (const { hash } of hashes) hash.update(piece);
    },
    verdict: () => {
      const reason = wrongSize(bytes, digests);
      if (reason !== undefined) return reason;
      const fitting = digests.filter(({ size }) => size === bytes);
      const found = new Map(hashes.map(({ name, hash }) => [name, hash.digest('hex')]));
      if (fitting.some(({ algorithm, hash }) => found.get(algorithm) === hash)) return undefined;
      return wordMismatch(fitting, found);
    },
  };
}

/** As Manifests spell them. */
const spelled: Readonly<Record<Algorithm, string>> = { blake2b512: 'BLAKE2B', sha512: 'SHA512' };

function wordMismatch(expected: readonly Digest[], found: ReadonlyMap<Algorithm, string>): string {
  const wanted = expected.map(({ algorithm, hash }) => `${spelled[algorithm]} ${short(hash)}`);
  const kinds = [...new Set(expected.map(({ algorithm }) => algorithm))];
  const got = kinds.map((algorithm) => short(found.get(algorithm) ?? ''));
  return `expected ${wanted.join(' or ')}, found ${got.join(' and ')}`;
}

// 128 digits tell people no more than their beginning does.
function short(hash: string): string {
  return `${hash.slice(0, 16)}…`;
}
