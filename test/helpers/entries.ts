import { mkdirSync, writeFileSync } from 'node:fs';
import { readdir, stat, utimes } from 'node:fs/promises';
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

/** The files below a cache directory, without the cache's own. */
export async function filesBelow(root: string): Promise<string[]> {
  const all = await readdir(root, { recursive: true });
  const found: string[] = [];
  for (const path of all) {
    const own = path.startsWith('.package-cache/');
    if (!own && (await stat(join(root, path))).isFile()) found.push(path);
  }
  return found.toSorted();
}

/** Plants so many empty entries, at once. */
export function plantMany(root: string, count: number): void {
  mkdirSync(join(root, 'many'));
  for (let index = 0; index < count; index += 1) writeFileSync(join(root, `many/${index}`), '');
}
