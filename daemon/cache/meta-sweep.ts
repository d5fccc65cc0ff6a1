import { existsSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Layout } from './layout.ts';
import type { WalkedEntry } from './walk.ts';

/**
 * Removes the records of entries that are gone; synchronous, for a worker. The folder of a
 * directory's records stays: a fill may be about to write into it.
 */
export function createMetaSweeper(layout: Layout): (entry: WalkedEntry) => void {
  const known = new Map<string, boolean>();
  return ({ key, file }) => {
    // A name that is not UTF-8 has no key of its own, and so no record.
    if (typeof file !== 'string') return;
    const path = layout.meta(key);
    const folder = dirname(path);
    const exists = known.get(folder) ?? existsSync(folder);
    known.set(folder, exists);
    if (!exists) return;
    try {
      rmSync(path, { force: true });
    } catch {
      // A record whose body is gone fits nothing, and is ignored.
    }
  };
}
