import { isUtf8 } from 'node:buffer';
import { type Dirent, lstatSync, readdirSync, type Stats, statSync } from 'node:fs';
import { lastUseOf } from '../cache/entry.ts';
import { OWN_FOLDER, SELF_NAME } from '../cache/layout.ts';
import { describe, errnoOf } from '../errors.ts';

/** A path for system calls: bytes where a name is not UTF-8. */
export type FilePath = string | Buffer;

/** A file that was met on a walk. */
export interface WalkedEntry {
  /** Below CACHE_DIR; what is not UTF-8 in it shows as U+FFFD. */
  readonly key: string;
  readonly file: FilePath;
  readonly directory: FilePath;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly lastUse: number;
}

/** Something that could not be read or removed, and was passed over. */
export interface Problem {
  readonly path: string;
  readonly reason: string;
}

/** Where to walk, and who hears of what cannot be read. */
export interface WalkOptions {
  readonly root: string;
  readonly unreadable: (problem: Problem) => void;
  /** By name: a directory's files, and then what is in its directories. */
  readonly sorted?: boolean;
}

/** File systems keep lost pieces and old states there: nothing in them is an entry. */
const foreignFolders: readonly string[] = ['lost+found', '.zfs', '.snapshots', '.snapshot'];

/** Stands in a name, as Node decodes it, for what is not UTF-8. */
const REPLACEMENT = '\ufffd';

/**
 * All entries below CACHE_DIR, in no order unless asked. Synchronous, for a thread of its own: that is more
 * than twice as fast as promises. Follows no symlink, and stays on the root's file system, which its
 * directories tell: on an overlay, as containers have, every file may be of a device of its own.
 */
export function* walk({ root, unreadable, sorted }: WalkOptions): Generator<WalkedEntry> {
  const device = statSync(root).dev;
  const attempt = tolerantly(unreadable);
  const pending: FilePath[] = [root];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    const children = attempt(list, directory) ?? [];
    const folders: FilePath[] = [];
    for (const child of sorted === true ? children.toSorted(byName) : children) {
      const { name } = child;
      if (child.isDirectory() && !isForeign(name) && !(directory === root && isOwn(name))) {
        const folder = join(directory, name);
        if (attempt(look, folder)?.dev === device) folders.push(folder);
      } else if (child.isFile()) {
        const file = join(directory, name);
        const found = attempt(look, file);
        if (found !== undefined) yield describeEntry({ root, directory, file, found });
      }
    }
    // The last one in is the first one out.
    for (const folder of folders.reverse()) pending.push(folder);
  }
}

function tolerantly(unreadable: (problem: Problem) => void) {
  return <Result>(read: (path: FilePath) => Result, path: FilePath): Result | undefined => {
    try {
      return read(path);
    } catch (error) {
      // What is gone by now needs no reading.
      if (!['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) {
        unreadable({ path: path.toString(), reason: describe(error) });
      }
      return undefined;
    }
  };
}

function look(path: FilePath): Stats {
  return lstatSync(path);
}

// As text where that loses nothing: it takes half the time.
function list(directory: FilePath): readonly (Dirent<string> | Dirent<Buffer>)[] {
  const children = readdirSync(directory, { withFileTypes: true });
  if (!children.some(({ name }) => name.includes(REPLACEMENT))) return children;
  return readdirSync(directory, { withFileTypes: true, encoding: 'buffer' });
}

function byName(left: Dirent<string> | Dirent<Buffer>, right: typeof left): number {
  return left.name.toString() < right.name.toString() ? -1 : 1;
}

function isForeign(name: FilePath): boolean {
  return foreignFolders.includes(name.toString());
}

function isOwn(name: FilePath): boolean {
  return name.toString() === OWN_FOLDER;
}

function join(directory: FilePath, name: FilePath): FilePath {
  if (typeof directory === 'string') {
    if (typeof name === 'string') return `${directory}/${name}`;
    if (isUtf8(name)) return `${directory}/${name.toString()}`;
  }
  return Buffer.concat([Buffer.from(directory), Buffer.from('/'), Buffer.from(name)]);
}

interface Met {
  readonly root: string;
  readonly directory: FilePath;
  readonly file: FilePath;
  readonly found: Stats;
}

function describeEntry({ root, directory, file, found }: Met): WalkedEntry {
  const path = file.toString().slice(root.length + 1);
  const key = path.endsWith(`/${SELF_NAME}`) ? path.slice(0, -SELF_NAME.length - 1) : path;
  return { key, file, directory, size: found.size, lastUse: lastUseOf(found) };
}
