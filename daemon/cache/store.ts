import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { CacheError, describe, errnoOf } from '../errors.ts';
import { SharedHandle } from './body.ts';
import { createDirectoryMaker, removeEmptyFolders, removeFile, syncDirectory } from './durable.ts';
import { type Entry, lastUseOf, mtimeOf } from './entry.ts';
import type { Layout } from './layout.ts';
import type { Partial } from './partial.ts';
import { place, prepareFolder } from './placing.ts';
import { type FileIdentity, identityOf, putAside } from './quarantine.ts';
import { isScarcity } from './scarcity.ts';
import { createTurns, type Turns } from './turns.ts';

/** An entry's times are set at most once in so many milliseconds. */
const TOUCH_INTERVAL = 60_000;

/** Plain files at plain paths; the file system is the database. */
export interface Store {
  /** Opens the entry of a key, or says that there is none. The caller releases its file. */
  find(key: string): Promise<Entry | undefined>;
  /** Notes in the file's own times that a client was served, if that was not noted lately. */
  touch(entry: Entry): Promise<void> | undefined;
  /**
   * Removes the entry of a key with the directories it leaves empty; whoever reads it goes on.
   *
   * @returns what was removed, or nothing.
   * @throws CacheError `storage` that says why it stays.
   */
  remove(key: string): Promise<RemovedEntry | undefined>;
  /**
   * Takes an entry that was found to be wrong out of the cache, into quarantine, unless another
   * file has taken its place; whoever reads it goes on.
   *
   * @returns what was taken out, or nothing.
   * @throws CacheError `storage` that says why it stays.
   */
  quarantine(key: string, file: FileIdentity): Promise<RemovedEntry | undefined>;
  /**
   * Makes a whole partial the entry of its key, atomically and durably.
   *
   * @throws CacheError `storage` that says why it is not stored.
   */
  commit(partial: WholeFile, entry: NewEntry): Promise<CommittedEntry>;
}

/** An entry that is gone. */
export type RemovedEntry = Pick<Entry, 'key' | 'size' | 'lastUse'>;

/** A file that has all its bytes, where nobody else looks for it. */
export type WholeFile = Pick<Partial, 'path' | 'handle'>;

/** What a partial becomes. */
export interface NewEntry {
  readonly key: string;
  /** Whole seconds since the epoch. */
  readonly mtime: number;
}

/** What a meta record needs to know of a body just stored. */
export interface CommittedEntry {
  readonly path: string;
  readonly size: number;
  readonly mtime: number;
  readonly inode: number;
}

/** The store of one cache directory. */
export function createStore(layout: Layout): Store {
  const tools: Tools = { layout, turns: createTurns(), makeDirectory: createDirectoryMaker() };
  return {
    find: (key) => find(layout, key),
    touch,
    remove: (key) => remove(layout, key),
    quarantine: (key, file) => quarantine(tools, { key, file }),
    commit: (partial, entry) => commit(tools, { partial, entry }),
  };
}

interface Tools {
  readonly layout: Layout;
  readonly turns: Turns;
  readonly makeDirectory: (path: string) => Promise<void>;
}

async function find(layout: Layout, key: string): Promise<Entry | undefined> {
  for (const path of [layout.entry(key), layout.self(key)]) {
    const handle = await openEntry(path);
    if (handle === 'nothing') return undefined;
    // A directory that lies elsewhere, by a symlink, keeps its document inside like any other.
    if (handle === 'symlink') continue;
    const found = await handle.stat().catch(async (error: unknown) => {
      await handle.close();
      throw unreadable(path, error);
    });
    if (found.isFile()) return describeEntry({ key, path, stat: found, handle });
    await handle.close();
    if (!found.isDirectory()) return undefined;
  }
  return undefined;
}

async function openEntry(path: string): Promise<FileHandle | 'nothing' | 'symlink'> {
  try {
    // O_NONBLOCK: a FIFO that somebody put here must not hold a thread for ever.
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const errno = errnoOf(error) ?? '';
    // At the end of the path it is never followed: there is no entry.
    if (errno === 'ELOOP') return 'symlink';
    if (['ENOENT', 'ENOTDIR', 'ENXIO'].includes(errno)) return 'nothing';
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): CacheError {
  const code = isScarcity(cause) ? 'busy' : 'storage';
  return new CacheError(code, { verb: 'read', thing: path, reason: describe(cause), cause });
}

interface Opened {
  readonly key: string;
  readonly path: string;
  readonly stat: Stats;
  readonly handle: FileHandle;
}

function describeEntry({ key, path, stat: found, handle }: Opened): Entry {
  return {
    key,
    path,
    size: found.size,
    mtime: mtimeOf(found),
    modified: found.mtimeMs,
    inode: found.ino,
    lastUse: lastUseOf(found),
    file: new SharedHandle(handle),
  };
}

function touch({ lastUse, mtime, file }: Entry): Promise<void> | undefined {
  const now = Date.now();
  // A last use in the future stems from a clock that was wrong once.
  if (Math.abs(now - lastUse) < TOUCH_INTERVAL) return undefined;
  return file.handle.utimes(now / 1000, mtime);
}

async function remove(layout: Layout, key: string): Promise<RemovedEntry | undefined> {
  const entry = await find(layout, key);
  if (entry === undefined) return undefined;
  entry.file.release();
  try {
    await removeFile(entry.path);
  } catch (cause) {
    const thing = entry.path;
    throw new CacheError('storage', { verb: 'remove', thing, reason: describe(cause), cause });
  }
  await removeEmptyFolders(dirname(entry.path), layout.root);
  return { key, size: entry.size, lastUse: entry.lastUse };
}

interface Suspect {
  readonly key: string;
  readonly file: FileIdentity;
}

// In the turn of commits, so that none comes between our look and our rename.
function quarantine({ layout, turns }: Tools, { key, file }: Suspect) {
  return turns(turnOf(key), async (): Promise<RemovedEntry | undefined> => {
    const entry = await find(layout, key);
    if (entry === undefined) return undefined;
    const found = await entry.file.handle.stat().finally(() => entry.file.release());
    if (!isDeepStrictEqual(identityOf(found), file)) return undefined;
    await putAside(layout, entry);
    return { key, size: entry.size, lastUse: entry.lastUse };
  });
}

interface Commit {
  readonly partial: WholeFile;
  readonly entry: NewEntry;
}

// The order is the promise: a file at its final path is whole, whatever is killed when.
async function commit(tools: Tools, { partial, entry }: Commit): Promise<CommittedEntry> {
  const { layout, turns } = tools;
  const { key, mtime } = entry;
  const { handle } = partial;
  try {
    await handle.utimes(Date.now() / 1000, mtime);
    await handle.sync();
    const { size, ino } = await handle.stat();
    await prepareFolder(dirname(layout.entry(key)), tools.makeDirectory);
    const path = await turns(turnOf(key), () => place(layout, { from: partial.path, key }));
    await syncDirectory(dirname(path));
    return { path, size, mtime, inode: ino };
  } catch (cause) {
    const thing = layout.entry(key);
    throw new CacheError('storage', { verb: 'store', thing, reason: describe(cause), cause });
  }
}

// Two keys of which one is a directory of the other share their first name: what happens to them
// side by side would move the other's file away.
function turnOf(key: string): string {
  return key.split('/', 1)[0] ?? key;
}
