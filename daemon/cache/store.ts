import { constants, type Stats } from 'node:fs';
import { type FileHandle, mkdtemp, open, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CacheError, describe, errnoOf } from '../errors.ts';
import { SharedHandle } from './body.ts';
import { createDirectoryMaker, makeDirectory, removeFile, syncDirectory } from './durable.ts';
import { type Entry, lastUseOf, mtimeOf } from './entry.ts';
import { type Layout, SELF_NAME } from './layout.ts';
import type { Partial } from './partial.ts';
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
  remove(key: string): Promise<Pick<Entry, 'key' | 'size' | 'lastUse'> | undefined>;
  /**
   * Makes a whole partial the entry of its key, atomically and durably.
   *
   * @throws CacheError `storage` that says why it is not stored.
   */
  commit(partial: Partial, entry: NewEntry): Promise<CommittedEntry>;
}

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

async function remove(layout: Layout, key: string) {
  const entry = await find(layout, key);
  if (entry === undefined) return undefined;
  entry.file.release();
  try {
    await removeFile(entry.path);
  } catch (cause) {
    const thing = entry.path;
    throw new CacheError('storage', { verb: 'remove', thing, reason: describe(cause), cause });
  }
  await removeEmpty(dirname(entry.path), layout.root);
  return { key, size: entry.size, lastUse: entry.lastUse };
}

// Whatever speaks against it (a new file above all) speaks for leaving the directory.
async function removeEmpty(directory: string, root: string): Promise<void> {
  try {
    for (let path = directory; path !== root; path = dirname(path)) await rmdir(path);
  } catch {}
}

interface Commit {
  readonly partial: Partial;
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
    // Two keys of which one is a directory of the other share their first name: such commits
    // would move each other's files away.
    const [name = key] = key.split('/', 1);
    await prepare(tools, key);
    const path = await turns(name, () => place(layout, { from: partial.path, key }));
    await syncDirectory(dirname(path));
    return { path, size, mtime, inode: ino };
  } catch (cause) {
    const thing = layout.entry(key);
    throw new CacheError('storage', { verb: 'store', thing, reason: describe(cause), cause });
  }
}

interface Placing {
  readonly from: string;
  readonly key: string;
}

const collisions = ['EISDIR', 'ENOTEMPTY', 'ENOTDIR', 'EEXIST', 'ENOENT'];

// Ahead of the turn, so that nobody's turn waits for the disk; what is in the way is moved in it.
async function prepare({ layout, makeDirectory: make }: Tools, key: string): Promise<void> {
  try {
    await make(dirname(layout.entry(key)));
  } catch (error) {
    if (!collisions.includes(errnoOf(error) ?? '')) throw error;
  }
}

// Whoever else works in this tree may come between our look and our rename: look again.
async function place(layout: Layout, placing: Placing): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (attempt > 1) await makeWay(layout, placing.key);
      return await tryPlace(layout, placing);
    } catch (error) {
      if (attempt === 3 || !collisions.includes(errnoOf(error) ?? '')) throw error;
    }
  }
}

async function tryPlace(layout: Layout, { from, key }: Placing): Promise<string> {
  const plain = layout.entry(key);
  await makeDirectory(dirname(plain));
  const isDirectory = await stat(plain).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const path = isDirectory ? layout.self(key) : plain;
  await rename(from, path);
  return path;
}

/** Turns every stored document that stands where the key needs a directory into `<it>/<self>`. */
async function makeWay(layout: Layout, key: string): Promise<void> {
  const components = key.split('/');
  for (let depth = 1; depth < components.length; depth += 1) {
    const ancestor = layout.entry(components.slice(0, depth).join('/'));
    const found = await stat(ancestor).catch(() => undefined);
    if (!found?.isFile()) continue;
    await makeDirectory(layout.movingFolder);
    const folder = await mkdtemp(join(layout.movingFolder, 'document-'));
    await rename(ancestor, join(folder, SELF_NAME));
    await rename(folder, ancestor).catch(async (error: unknown) => {
      await rm(folder, { recursive: true });
      throw error;
    });
    await syncDirectory(dirname(ancestor));
  }
}
