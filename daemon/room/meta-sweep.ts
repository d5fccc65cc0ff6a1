import { existsSync, rmSync } from 'node:fs';
import { dirname } from 'node:path/posix';
import type { Layout } from '../cache/layout.ts';
import type { WalkedEntry } from './walk.ts';

/**
 * Removes the records of entries that are gone; synchronous, for a worker. The folder of a
 * directory's records stays: a fill may be about to write into it.
 */
export function createMetaSweeper(layout: Layout): (entry: WalkedEntry) => void {
  const directories = new Map<string, boolean>();
  return ({ key, file }) => {
    // A name that is not UTF-8 has no key of its own, and so no record.
    if (typeof file !== 'string') return;
    const directory = dirname(key);
    const hasRecords = directories.get(directory) ?? existsSync(dirname(layout.meta(key)));
    directories.set(directory, hasRecords);
    if (!hasRecords) return;
    try {
      rmSync(layout.meta(key), { force: true });
    } catch {
      // A record whose body is gone fits nothing, and is ignored.
    }
  };
}
