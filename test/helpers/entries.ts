import { mkdirSync, writeFileSync } from 'node:fs';
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { someTime } from './cache.ts';
import { writeTree } from './files.ts';

/** An entry for a test. */
export interface Planted {
  /** Bytes. */
  readonly size: number;
  /** Days since its last use. */
  readonly days: number;
}

/** Plants entries below a cache directory. */
export async function plant(
  root: string,
  entries: Readonly<Record<string, Planted>>,
): Promise<void> {
  const bodies = Object.entries(entries).map(([key, { size }]) => [key, Buffer.alloc(size)]);
  await writeTree(root, Object.fromEntries(bodies));
  for (const [key, { days }] of Object.entries(entries)) await setAge(join(root, key), days);
}

/** Makes a file look last used so many days ago: the change time stays the present. */
export async function setAge(path: string | Buffer, days: number): Promise<void> {
  await utimes(path, Date.now() / 1000 - days * 86_400, someTime);
}

/**
 * The files below a cache directory, without the cache's own. A directory that goes while others
 * are read has none: the daemon removes what its tests, which share it, make empty.
 */
export async function filesBelow(root: string, folder = ''): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(ignoreGone);
  const found: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (path === '.package-cache') continue;
    if (entry.isDirectory()) found.push(...(await filesBelow(root, path)));
    else if (entry.isFile()) found.push(path);
  }
  return found.toSorted();
}

function ignoreGone(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT') return [];
  throw error;
}

/** Plants so many empty entries, at once. */
export function plantMany(root: string, count: number): void {
  mkdirSync(join(root, 'many'));
  for (let index = 0; index < count; index += 1) writeFileSync(join(root, `many/${index}`), '');
}
