import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readText, removeFile, replaceFile } from './durable.ts';
import type { Layout } from './layout.ts';

const FORMAT = 1;

/** A partial that nobody has added to for so long is given up. */
const IDLE_LIMIT = 7 * 86_400_000;

/** What it takes to go on with an unfinished file, and to prove that it is the same one. */
export interface PartialRecord {
  readonly key: string;
  /** The repository's name, and the path below its root: decoded, and as a client spelled it. */
  readonly repository: string;
  readonly path: string;
  readonly upstreamPath: string;
  /** The URL of the source that gave the head. */
  readonly source: string;
  readonly etag?: string;
  /** The origin's Last-Modified, whole seconds since the epoch. */
  readonly lastModified?: number;
  readonly type?: string;
  /** The entry's Last-Modified. */
  readonly mtime: number;
  /** Of the whole file, in bytes. */
  readonly length: number;
  /** Bytes that were safe from a power cut when this was written. */
  readonly synced: number;
}

interface StoredRecord extends PartialRecord {
  readonly format: typeof FORMAT;
  /** The kernel's boot id: after a mere crash all that was written counts. */
  readonly boot: string;
}

/** A partial that can be resumed. */
export interface KeptPartial {
  readonly record: PartialRecord;
  /** Of the file. */
  readonly path: string;
  /** Bytes of the body that are there for sure. */
  readonly written: number;
}

/** Which partials are to be dropped. */
export interface Dropping {
  readonly matches: (key: string) => boolean;
  readonly busy: (key: string) => boolean;
}

/** The records of unfinished files. */
export interface PartialBook {
  /** The partial of a key, if it can be resumed. */
  find(key: string): Promise<KeptPartial | undefined>;
  write(record: PartialRecord): Promise<void>;
  /** Removes a partial's record, before or after its file went. */
  forget(key: string): Promise<void>;
  /** Removes the partials of keys that match, and tells which; `busy` ones are being filled. */
  drop(which: Dropping): Promise<readonly string[]>;
  /** Removes what nobody has added to for a week; `busy` keys are being filled and stay. */
  expire(now: number, busy: (key: string) => boolean): Promise<void>;
  /** Removes what can never be resumed, and lists what can. Only while no fill is running. */
  sweep(now: number): Promise<readonly KeptPartial[]>;
}

/** Opens the records of one cache directory. */
export async function openPartialBook(layout: Layout): Promise<PartialBook> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  // Every miss asks: nobody but us writes records, and hardly any key has one.
  const recorded = new Set(await partialsIn(layout.partialFolder));
  const leaving = new Map<string, Promise<void>>();
  const remove = (path: string): Promise<void> => {
    recorded.delete(path);
    const gone = removePair(path).finally(() => leaving.delete(path));
    leaving.set(path, gone);
    return gone;
  };
  return {
    find: async (key) => {
      const path = layout.partial(key);
      // Whoever finds nothing makes a new one at the same place.
      await leaving.get(path)?.catch(() => {});
      return recorded.has(path) ? await readKept(path, { boot, key }) : undefined;
    },
    write: (record) => {
      const path = layout.partial(record.key);
      recorded.add(path);
      const stored: StoredRecord = { format: FORMAT, boot, ...record };
      return replaceFile(recordOf(path), `${JSON.stringify(stored)}\n`);
    },
    forget: async (key) => {
      const path = layout.partial(key);
      if (recorded.delete(path)) await removeFile(recordOf(path));
    },
    drop: async ({ matches, busy }) => {
      const dropped: string[] = [];
      for (const path of [...recorded]) {
        const key = (await readKept(path, { boot }))?.record.key;
        if (key === undefined || !matches(key) || busy(key)) continue;
        await remove(path);
        dropped.push(key);
      }
      return dropped;
    },
    expire: async (now, busy) => {
      for (const path of await partialsIn(layout.partialFolder)) {
        const key = (await readKept(path, { boot }))?.record.key;
        if (key !== undefined && (await isIdle(path, now)) && !busy(key)) await remove(path);
      }
    },
    sweep: async (now) => {
      const kept: KeptPartial[] = [];
      for (const path of await partialsIn(layout.partialFolder)) {
        const found = await readKept(path, { boot });
        if (found !== undefined && !(await isIdle(path, now))) kept.push(found);
        else await removePair(path);
      }
      await removeOrphans(layout.partialFolder);
      return kept;
    },
  };
}

function recordOf(path: string): string {
  return `${path}.json`;
}

async function partialsIn(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { withFileTypes: true });
  return found
    .filter((entry) => entry.isFile() && !/\.(json|new)$/.test(entry.name))
    .map(({ name }) => join(folder, name));
}

async function isIdle(path: string, now: number): Promise<boolean> {
  const { mtimeMs } = await lstat(path);
  return now - mtimeMs >= IDLE_LIMIT;
}

async function removePair(path: string): Promise<void> {
  await removeFile(path);
  await removeFile(recordOf(path));
}

// A crash between the removal of a file and of its record, or in the middle of writing one.
async function removeOrphans(folder: string): Promise<void> {
  const names = new Set(await readdir(folder));
  for (const name of names) {
    const file = name.replace(/\.json(\.new)?$/, '');
    if (file !== name && (name.endsWith('.new') || !names.has(file))) {
      await removeFile(join(folder, name));
    }
  }
}

interface Expectation {
  readonly boot: string;
  readonly key?: string;
}

async function readKept(
  path: string,
  { boot, key }: Expectation,
): Promise<KeptPartial | undefined> {
  try {
    const text = await readText(recordOf(path));
    const record = JSON.parse(text) as StoredRecord;
    if (record.format !== FORMAT || (key !== undefined && record.key !== key)) return undefined;
    const found = await lstat(path);
    if (!found.isFile()) return undefined;
    const { size } = found;
    const safe = boot !== '' && record.boot === boot ? size : Math.min(size, record.synced);
    const written = Math.min(safe, record.length);
    return written > 0 ? { record, path, written } : undefined;
  } catch {
    // No record, or a spoilt one: what is there cannot be proven to be anything.
    return undefined;
  }
}
