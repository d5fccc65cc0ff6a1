import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
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

/** The bytes of the files in one folder. */
export async function bytesIn(folder: string): Promise<number> {
  const sizes = (await readdir(folder)).map(async (name) => {
    try {
      const found = await stat(join(folder, name));
      return found.isFile() ? found.size : 0;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return 0;
      throw error;
    }
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
