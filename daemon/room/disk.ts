import { lstat, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { patiently } from '../cache/scarcity.ts';
import { errnoOf } from '../errors.ts';

/** A file system, in bytes. */
export interface Disk {
  readonly size: number;
  /** What we may still write: what is kept for root is not in it. */
  readonly free: number;
}

/** The file system a directory lies on. */
export async function measureDisk(path: string): Promise<Disk> {
  const { blocks, bavail, bsize } = await statfs(path);
  return { size: blocks * bsize, free: bavail * bsize };
}

/** The bytes of the files in one folder; none in one that is gone. */
export async function bytesIn(folder: string): Promise<number> {
  const names = await patiently(() => readdir(folder)).catch(ifGone([]));
  const sizes = names.map(async (name) => {
    const found = await lstat(join(folder, name)).catch(ifGone(undefined));
    return found?.isFile() ? found.size : 0;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

function ifGone<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (errnoOf(error) === 'ENOENT') return instead;
    throw error;
  };
}
