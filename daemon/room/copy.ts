import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  linkSync,
  openSync,
  rmSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { CacheError, errnoOf } from '../errors.ts';
import type { Digest } from '../gentoo/digest-table.ts';
import { compare, type OpenFile, piecesOf, withFile, wrongSize } from './hashing.ts';

/** A file that is to be taken over; it travels to a thread. */
export interface CopyOrder {
  readonly from: string;
  /** Where nothing is yet. */
  readonly to: string;
  /** What it must be, one of these; whatever it is when there are none. */
  readonly digests: readonly Digest[];
  /** The file itself is to be shared, in place of its bytes. */
  readonly link: boolean;
}

/** An order, and the world it is carried out in. */
export interface CopyJob extends CopyOrder {
  readonly cancelled: () => boolean;
  /** Told of each piece. */
  readonly took: (bytes: number) => void;
}

/** What a file that was taken over is to be stored with. */
export interface Copied {
  /** Whole seconds since the epoch. */
  readonly mtime: number;
}

/**
 * Takes a file over, sharing its bytes where the file system can do that, and verifies what it took.
 * Synchronous, for a thread of its own. Whatever goes wrong, nothing is left.
 *
 * @throws CacheError that says why it was not taken, or the error of the system.
 */
export function copy(job: CopyJob): Copied {
  const { from, to, digests } = job;
  return withFile(from, (file) => {
    const { descriptor, stat } = file;
    if (!stat.isFile()) throw refused(job, 'it is not a regular file any more');
    const reason = digests.length === 0 ? closed(stat) : wrongSize(stat.size, digests);
    if (reason !== undefined) throw refused(job, reason);
    try {
      transfer(file, job);
      // Without a digest nothing else tells that somebody is still writing to it.
      if (digests.length === 0) refuseChanged(stat, fstatSync(descriptor), job);
    } catch (error) {
      rmSync(to, { force: true });
      throw error;
    }
    // A time in the future stems from a clock that was wrong once.
    return { mtime: Math.max(0, Math.floor(Math.min(stat.mtimeMs, Date.now()) / 1000)) };
  });
}

// What is stored is there for everybody. What a Manifest names is public anyway.
function closed({ mode }: Stats): string | undefined {
  return (mode & 0o004) === 0 ? 'not everybody may read it' : undefined;
}

function refuseChanged(before: Stats, after: Stats, job: CopyJob): void {
  if (after.size === before.size && after.mtimeMs === before.mtimeMs) return;
  throw refused(job, 'it changed while it was read');
}

function transfer(file: OpenFile, job: CopyJob): void {
  const { to, link } = job;
  if (link) {
    share(file.stat, job);
    withFile(to, (shared) => readThrough(shared, job));
  } else if (clone(file, to)) {
    withFile(to, (cloned) => readThrough(cloned, job));
  } else {
    writeThrough(file, job);
  }
}

function share({ uid }: Stats, job: CopyJob): void {
  const user = process.getuid?.();
  // Its times are set when it is stored, and link(2) may be for owners alone.
  if (user !== 0 && user !== uid) {
    throw refused(job, `it belongs to another user (uid ${uid}); without --link it is copied`);
  }
  try {
    linkSync(job.from, job.to);
  } catch (error) {
    if (errnoOf(error) !== 'EXDEV') throw error;
    throw refused(job, 'it is on another file system than the cache; without --link it is copied');
  }
}

/** Whether the file system could have both files share their bytes. */
function clone({ descriptor }: OpenFile, to: string): boolean {
  try {
    // By its descriptor: whatever stands at its path by now, this is the file that was looked at.
    const mode = constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL;
    copyFileSync(`/proc/self/fd/${descriptor}`, to, mode);
    withFile(to, (cloned) => fchmodSync(cloned.descriptor, 0o644));
    return true;
  } catch {
    // Then it is copied, and what speaks against that as well is told.
    rmSync(to, { force: true });
    return false;
  }
}

function readThrough(file: OpenFile, job: CopyJob): void {
  for (const _ of verified(file, job));
}

function writeThrough(file: OpenFile, job: CopyJob): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const target = openSync(job.to, flags, 0o644);
  try {
    for (const piece of verified(file, job)) writeWhole(target, piece);
  } finally {
    closeSync(target);
  }
}

/** The pieces of a file, of which the last is followed by an error when they are not the right ones. */
function* verified(file: OpenFile, job: CopyJob): Generator<Buffer> {
  const comparison = compare(job.digests);
  for (const piece of piecesOf(file)) {
    if (job.cancelled()) throw refused(job, 'it was called off');
    comparison.add(piece);
    // What is hashed is what is used: the very same bytes.
    yield piece;
    job.took(piece.length);
  }
  const reason = job.digests.length === 0 ? undefined : comparison.verdict();
  if (reason !== undefined) throw refused(job, reason);
}

function writeWhole(target: number, piece: Buffer): void {
  for (let done = 0; done < piece.length; ) done += writeSync(target, piece, done);
}

function refused({ from }: CopyJob, reason: string): CacheError {
  return new CacheError('storage', { verb: 'import', thing: from, reason });
}
