import { lstatSync, type Stats } from 'node:fs';
import { identityOf } from '../cache/quarantine.ts';
import { describe, errnoOf } from '../errors.ts';
import { type Digest, type DigestRows, findDigests } from '../gentoo/digest-table.ts';
import { distfileIn } from '../gentoo/distfile.ts';
import { compare, type OpenFile, PIECE, piecesOf, withFile, wrongSize } from './hashing.ts';
import { createNames, type Naming } from './names.ts';
import { createPace, type Pacing } from './pace.ts';
import {
  openVerifyBook,
  type Planned,
  type VerifyBook,
  type VerifyProgress,
  type VerifySummary,
  type WrongEntry,
} from './verify-book.ts';
import { type FilePath, type Problem, walk } from './walk.ts';

/** Which entries are to be read again, and how fast; it travels to a worker. */
export interface VerifyOrder extends Naming {
  /** What the Manifests say. */
  readonly digests: DigestRows;
  /** Only entries whose key matches. */
  readonly matching?: RegExp;
  /** Only distfiles of these names. */
  readonly names?: ReadonlySet<string>;
  /** Begins behind this key, and goes on with the first one after the last. */
  readonly after?: string;
  /** Ends once so many bytes were read. */
  readonly upTo?: number;
  /** Bytes a second. */
  readonly rate: number;
}

/** An order, and the world it is carried out in. */
export interface VerifyJob extends Pacing {
  readonly root: string;
  readonly order: VerifyOrder;
  readonly cancelled: () => boolean;
  readonly progress: (progress: VerifyProgress) => void;
}

const LEAST_PIECE = 4096;

/** What a disk says of a file that it has lost: the entry is as wrong as any. */
const losses = ['EIO', 'EUCLEAN', 'EBADMSG'];

/**
 * Reads entries again and compares them with the Manifests. Changes nothing. Synchronous, for a
 * thread of its own.
 */
export function verify(job: VerifyJob): VerifySummary {
  const { order, cancelled } = job;
  const book = openVerifyBook(job.progress);
  const candidates = inOrder(gather(job, book), order.after);
  book.plan(candidates);
  const pace = createPace(order.rate, job);
  // So that however slow it is, it tells several times a second how far it has come.
  const piece = Math.max(LEAST_PIECE, Math.min(PIECE, Math.floor(order.rate / 4)));
  let read = 0;
  const took = (bytes: number): void => {
    read += bytes;
    book.read(bytes);
    pace(bytes);
  };
  for (const candidate of candidates) {
    if (cancelled() || read >= (order.upTo ?? Number.POSITIVE_INFINITY)) break;
    book.begin(candidate);
    const outcome = look(candidate, { cancelled, took, piece }, order.digests);
    if (outcome === 'cancelled') break;
    if (outcome === 'right') book.right(candidate);
    else if (typeof outcome === 'object') {
      if ('key' in outcome) book.wrong(outcome);
      else book.problem(outcome);
    }
    book.end();
  }
  return book.close(cancelled());
}

interface Candidate extends Planned {
  readonly file: FilePath;
}

function gather({ root, order }: VerifyJob, book: VerifyBook): Candidate[] {
  const { matching, names, digests } = order;
  const namedBy = createNames(order);
  const found: Candidate[] = [];
  for (const { key, file, size } of walk({ root, unreadable: book.problem })) {
    if (matching?.test(key) === false) continue;
    const { path, mutable } = namedBy(key);
    const name = mutable ? undefined : distfileIn(path);
    if (names !== undefined && (name === undefined || !names.has(name))) continue;
    if (name === undefined || findDigests(digests, name).length === 0) book.unknown();
    else found.push({ key, file, size });
  }
  return found;
}

function inOrder(candidates: Candidate[], after: string | undefined): readonly Candidate[] {
  candidates.sort((left, right) => (left.key < right.key ? -1 : 1));
  const first = after === undefined ? 0 : candidates.findIndex(({ key }) => key > after);
  return first <= 0 ? candidates : [...candidates.slice(first), ...candidates.slice(0, first)];
}

interface Reading {
  readonly cancelled: () => boolean;
  readonly took: (bytes: number) => void;
  /** Bytes to be read in one call. */
  readonly piece: number;
}

/** Gone is what was removed or replaced meanwhile: that is not what was asked about. */
type Outcome = 'right' | 'gone' | 'cancelled' | WrongEntry | Problem;

function look({ key, file }: Candidate, reading: Reading, digests: DigestRows): Outcome {
  const expected = findDigests(digests, key.slice(key.lastIndexOf('/') + 1));
  try {
    return withFile(file, (open) => {
      if (!open.stat.isFile()) return 'gone';
      const reason = read(open, reading, expected);
      if (reason === undefined) return 'right';
      if (reading.cancelled()) return 'cancelled';
      const { stat } = open;
      if (!isStillThere(file, stat)) return 'gone';
      return { key, size: stat.size, file: identityOf(stat), reason };
    });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return 'gone';
    return { path: file.toString(), reason: describe(error) };
  }
}

/** Why it is wrong, or undefined. */
function read(
  file: OpenFile,
  { cancelled, took, piece: size }: Reading,
  expected: readonly Digest[],
): string | undefined {
  const reason = wrongSize(file.stat.size, expected);
  if (reason !== undefined) return reason;
  const comparison = compare(expected);
  try {
    for (const piece of piecesOf(file, size)) {
      comparison.add(piece);
      took(piece.length);
      if (cancelled()) break;
    }
  } catch (error) {
    if (!losses.includes(errnoOf(error) ?? '')) throw error;
    return `it cannot be read: ${describe(error)}`;
  }
  return comparison.verdict();
}

function isStillThere(file: FilePath, { ino, size }: Stats): boolean {
  const found = lstatSync(file, { throwIfNoEntry: false });
  return found?.ino === ino && found.size === size;
}
