import type { ExecutionContext } from 'ava';
import { createLayout, type Layout } from '../../daemon/cache/layout.ts';
import { Partial } from '../../daemon/cache/partial.ts';
import { type CommittedEntry, createStore, type Store } from '../../daemon/cache/store.ts';
import { tempDir, writeTree } from './files.ts';

/** A cache directory without a daemon. */
export interface Cache {
  readonly root: string;
  readonly layout: Layout;
  readonly store: Store;
  /** Commits a body as the entry of a key, as a fill does. */
  put(key: string, body: Buffer | string, mtime?: number): Promise<CommittedEntry>;
  /** The bytes of a key's entry; undefined when there is none. */
  bytesOf(key: string): Promise<Buffer | undefined>;
}

/** The Last-Modified of what is put without one. */
export const someTime = 1_735_689_600;

/** Lays out a cache directory that is gone with the test. */
export async function makeCache(t: ExecutionContext): Promise<Cache> {
  const root = await tempDir(t);
  const layout = createLayout(root);
  for (const folder of [layout.partialFolder, layout.metaFolder, layout.movingFolder]) {
    await writeTree(folder, { '.keep': '' });
  }
  const store = createStore(layout);
  return {
    root,
    layout,
    store,
    put: async (key, body, mtime = someTime) => {
      const partial = await writePartial(layout, key, Buffer.from(body));
      return store.commit(partial, { key, mtime }).finally(() => partial.release());
    },
    bytesOf: async (key) => {
      const entry = await store.find(key);
      return entry?.file.handle.readFile().finally(() => entry.file.release());
    },
  };
}

async function writePartial(layout: Layout, key: string, body: Buffer): Promise<Partial> {
  const partial = await Partial.create(layout.partial(key), body.length);
  partial.write(body);
  await partial.flushed();
  return partial;
}
