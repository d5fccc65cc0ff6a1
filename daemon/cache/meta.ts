import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path/posix';
import { readText, removeFile, replaceFile } from './durable.ts';
import type { Entry } from './entry.ts';
import type { Layout } from './layout.ts';
import { createTurns } from './turns.ts';

const FORMAT = 1;

/** What a mutable entry's file cannot hold. */
export interface Meta {
  /** The origin's own entity tag, for our conditional requests alone. */
  readonly etag?: string;
  /** The origin's Last-Modified, whole seconds since the epoch. */
  readonly lastModified?: number;
  readonly type?: string;
  /** The URL of the source that gave the body. */
  readonly source: string;
  /** When a source last confirmed the body, milliseconds since the epoch; 0 asks for a check. */
  readonly checked: number;
  /** When the body was fetched, milliseconds since the epoch. */
  readonly fetched: number;
}

/** Which body a record speaks of: it is worthless for any other. */
type Subject = Pick<Entry, 'key' | 'size' | 'mtime' | 'inode'>;

interface MetaRecord extends Meta, Subject {
  readonly format: typeof FORMAT;
}

/** The records of mutable entries. */
export interface MetaBook {
  /** The record of this very body, or nothing: then it is fetched unconditionally. */
  read(entry: Subject): Promise<Meta | undefined>;
  /** Written after the rename, so that a crash leaves a record that fits nothing. */
  write(entry: Subject, meta: Meta): Promise<void>;
  /** Removes the record of a body that is gone. */
  remove(key: string): Promise<void>;
  /** Asks for a check of every other entry in the same directory. */
  expireSiblings(key: string): Promise<void>;
}

/** Keeps the records of one cache directory. */
export function createMetaBook(layout: Layout): MetaBook {
  const turns = createTurns();
  // Records of one directory are written in turn: a sibling is read, changed and written back.
  const inTurn = <T>(key: string, task: () => Promise<T>) => turns(dirname(key), task);
  return {
    read: async (entry) => {
      const record = await readRecord(layout.meta(entry.key));
      return record !== undefined && describes(record, entry) ? record : undefined;
    },
    write: ({ key, size, mtime, inode }, meta) =>
      inTurn(key, () => writeRecord(layout, { ...meta, format: FORMAT, key, size, mtime, inode })),
    remove: (key) => inTurn(key, () => removeFile(layout.meta(key))),
    expireSiblings: (key) => inTurn(key, () => expireSiblings(layout, key)),
  };
}

async function writeRecord(layout: Layout, record: MetaRecord): Promise<void> {
  await replaceFile(layout.meta(record.key), `${JSON.stringify(record)}\n`);
}

async function expireSiblings(layout: Layout, key: string): Promise<void> {
  const own = layout.meta(key);
  const folder = dirname(own);
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (path === own || !name.endsWith('.json')) continue;
    const record = await readRecord(path);
    if (record === undefined) await removeFile(path);
    else await writeRecord(layout, { ...record, checked: 0 });
  }
}

function describes(record: MetaRecord, entry: Subject): boolean {
  const { key, size, mtime, inode } = record;
  return key === entry.key && size === entry.size && mtime === entry.mtime && inode === entry.inode;
}

// A record that cannot be read or understood is one that says nothing.
async function readRecord(path: string): Promise<MetaRecord | undefined> {
  try {
    const record = JSON.parse(await readText(path)) as MetaRecord;
    return record.format === FORMAT && typeof record.key === 'string' ? record : undefined;
  } catch {
    return undefined;
  }
}
