import { descriptorLimit } from '../system/descriptors.ts';
import { createHotStore, type HotStore } from './hot.ts';
import type { Layout } from './layout.ts';
import { createStore } from './store.ts';

/** What is kept at hand of the entries served last: open files, and bytes of small ones. */
const FILES = 4096;
const BYTES = 32 * 1024 * 1024;

/** The store of a cache directory, with a memory that fits this process. */
export async function openStore(layout: Layout): Promise<HotStore> {
  // Connections need most of the descriptors: two each while a file is sent.
  const files = Math.min(FILES, Math.floor((await descriptorLimit()) / 8));
  return createHotStore(createStore(layout), { files, bytes: BYTES });
}
