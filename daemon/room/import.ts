import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { removeFile } from '../cache/durable.ts';
import type { Entry } from '../cache/entry.ts';
import { parsePath } from '../cache/key.ts';
import type { Layout } from '../cache/layout.ts';
import type { Store } from '../cache/store.ts';
import { CacheError, describe, errnoOf } from '../errors.ts';
import type { Digest } from '../gentoo/digest-table.ts';
import { distfilePath } from '../gentoo/distfile.ts';
import type { Manifests } from '../gentoo/manifests.ts';
import type { Census } from './census.ts';
import { type Copier, type Copying, startCopier } from './copier.ts';
import { type DistdirFile, filesIn } from './distdir.ts';
import { wrongSize } from './hashing.ts';
import type { Room } from './room.ts';

/** What is to be taken over, and how. */
export interface ImportOrder {
  /** A flat directory of distfiles. */
  readonly directory: string;
  /** The files themselves are to be shared, in place of their bytes. */
  readonly link: boolean;
  /** What no Manifest names is taken as it is. */
  readonly unverified: boolean;
}

/** What became of one file. */
export interface ImportedFile {
  readonly name: string;
  /** `present`: it was stored already, and left alone. */
  readonly outcome: 'stored' | 'present' | 'failed';
  /** Bytes. */
  readonly size: number;
  /** Why it failed. */
  readonly reason?: string;
}

/** How far it has come. */
export interface ImportProgress {
  readonly entries: number;
  readonly bytes: number;
  /** Of the whole directory. */
  readonly total: number;
  readonly totalBytes: number;
}

/** Who hears of it. What `onFile` returns is waited for. */
export interface ImportWatch {
  readonly onFile: (file: ImportedFile) => unknown;
  readonly onProgress: (progress: ImportProgress) => void;
  /** Ends it; what was stored stays. */
  readonly signal: AbortSignal;
}

/** What it came to. */
export interface Imported {
  readonly stored: number;
  readonly present: number;
  readonly failed: number;
  /** Of what was stored. */
  readonly bytes: number;
}

/** Where the files go, and who says what they must be. */
export interface ImportContext {
  readonly layout: Layout;
  readonly store: Store;
  readonly census: Pick<Census, 'noteCommit'>;
  readonly room: Pick<Room, 'reserve' | 'noteFailure' | 'noteSuccess'>;
  readonly manifests: Pick<Manifests, 'digestsOf'>;
}

/** Files on their way at the same time: one is copied while others become safe on disk. */
const AT_ONCE = 4;
const PROGRESS_EVERY = 250;

/**
 * Makes the files of a DISTDIR entries of the root repository, where mirrors have them.
 *
 * @throws CacheError `storage` with the way out when the directory cannot be read.
 */
export async function importFiles(
  order: ImportOrder,
  watch: ImportWatch,
  context: ImportContext,
): Promise<Imported> {
  const files = await filesIn(order.directory, context.manifests);
  const copier = startCopier();
  const job: Job = { order, context, copier, running: new Set() };
  const book = openBook(files, job.running);
  const timer = setInterval(() => watch.onProgress(book.progress()), PROGRESS_EVERY);
  const stop = () => void copier.close();
  watch.signal.addEventListener('abort', stop, { once: true });
  const queue = files.values();
  try {
    const lanes = Array.from({ length: AT_ONCE }, async () => {
      for (const file of queue) {
        if (watch.signal.aborted) return;
        const imported = await takeIn(file, job);
        book.note(imported);
        await watch.onFile(imported);
      }
    });
    await Promise.all(lanes);
    return book.sum();
  } finally {
    watch.signal.removeEventListener('abort', stop);
    clearInterval(timer);
    await copier.close();
  }
}

interface Job {
  readonly order: ImportOrder;
  readonly context: ImportContext;
  readonly copier: Copier;
  readonly running: Set<Copying>;
}

async function takeIn({ name, size }: DistdirFile, job: Job): Promise<ImportedFile> {
  const { manifests, room, store } = job.context;
  try {
    const digests = manifests.digestsOf(name);
    const key = keyOf(name);
    const stored = await store.find(key);
    stored?.file.release();
    const wanted: Wanted = { name, size, digests, key, stored };
    if (stored !== undefined && isPresent(wanted)) return { name, outcome: 'present', size };
    const reason = obstacle(wanted, job.order);
    if (reason !== undefined) return { name, outcome: 'failed', size, reason };
    await bringIn(wanted, job);
    return { name, outcome: 'stored', size };
  } catch (error) {
    // The disk that failed may be the one that was read from.
    if (errnoOf(error) !== 'EIO') room.noteFailure(error);
    const reason = error instanceof CacheError ? error.reason : describe(error);
    return { name, outcome: 'failed', size, reason };
  }
}

// As a client may ask for it: what none can ask for is not stored.
function keyOf(name: string): string {
  const key = distfilePath(name);
  parsePath(key.split('/').map(encodeURIComponent).join('/'));
  return key;
}

interface Wanted extends DistdirFile {
  readonly key: string;
  readonly digests: readonly Digest[];
  /** What is stored under its key. */
  readonly stored: Entry | undefined;
}

function isPresent({ size, digests, stored }: Wanted): boolean {
  if (digests.length === 0) return stored?.size === size;
  return digests.some((digest) => digest.size === stored?.size);
}

/** What speaks against it at first sight. */
function obstacle({ size, digests, stored }: Wanted, { unverified }: ImportOrder) {
  if (digests.length > 0) return wrongSize(size, digests);
  if (!unverified) return 'no Manifest names it';
  return stored && `another file is stored under its name, of ${stored.size} bytes`;
}

async function bringIn(wanted: Wanted, { order, context, copier, running }: Job): Promise<void> {
  const { name, size, digests, key, stored } = wanted;
  const { layout, store, census, room } = context;
  // Beside the partial of a download of the same file, and like that gone after a crash.
  const to = `${layout.partial(key)}.import`;
  let copying: Copying | undefined;
  const reservation = await room.reserve(size, () => copying?.moved() ?? 0);
  try {
    const from = `${order.directory}/${name}`;
    copying = copier.copy({ from, to, digests, link: order.link });
    running.add(copying);
    const { mtime } = await copying.finished;
    const handle = await open(to, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const committed = await store.commit({ path: to, handle }, { key, mtime });
      census.noteCommit({ key, size: committed.size, replaced: stored });
    } finally {
      await handle.close();
    }
    room.noteSuccess();
  } finally {
    if (copying !== undefined) running.delete(copying);
    await removeFile(to);
    reservation.release();
  }
}

function openBook(files: readonly DistdirFile[], running: ReadonlySet<Copying>) {
  const sum = { stored: 0, present: 0, failed: 0, bytes: 0 };
  const total = { total: files.length, totalBytes: files.reduce((all, { size }) => all + size, 0) };
  let [entries, done] = [0, 0];
  return {
    note: ({ outcome, size }: ImportedFile) => {
      sum[outcome] += 1;
      entries += 1;
      done += size;
      if (outcome === 'stored') sum.bytes += size;
    },
    progress: (): ImportProgress => {
      const moved = [...running].reduce((all, copying) => all + copying.moved(), 0);
      return { entries, bytes: Math.min(done + moved, total.totalBytes), ...total };
    },
    sum: (): Imported => sum,
  };
}
