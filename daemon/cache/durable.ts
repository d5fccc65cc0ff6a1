import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rmdir, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../errors.ts';
import { patiently } from './scarcity.ts';

/** Makes a rename or a creation in this directory survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await patiently(() => open(path, 'r'));
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** mkdir -p, with the new names made durable in each parent up to the first that existed. */
export async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o755 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    await syncDirectory(dirname(made));
  }
}

/**
 * `makeDirectory` for many at once: each one also waits for those under way, which may have made
 * a parent of its own that is not durable yet.
 */
export function createDirectoryMaker(): (path: string) => Promise<void> {
  const making = new Set<Promise<void>>();
  return async (path) => {
    const earlier = [...making];
    const own = makeDirectory(path);
    making.add(own);
    await own.finally(() => making.delete(own));
    await Promise.allSettled(earlier);
  };
}

/**
 * The text of a small file of our own. Follows no symlink at the end of its path, and waits for no
 * FIFO.
 *
 * @throws the error of the system.
 */
export async function readText(path: string): Promise<string> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await patiently(() => open(path, flags));
  return handle.readFile('utf8').finally(() => handle.close());
}

/** Replaces a small file by a whole new one: readers see the old text or the new one. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`;
  const handle = await patiently(() => createFile(fresh));
  try {
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    await handle.close();
    await removeFile(fresh);
    throw error;
  }
  await handle.close();
  await rename(fresh, path);
}

/** A new file, in place of one or a symlink that may be there: its readers keep the old inode. */
export async function createFile(path: string): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    return await openNew(path, flags);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    await removeFile(path);
    return await openNew(path, flags);
  }
}

// Somebody may have emptied the cache by hand, with our folders.
async function openNew(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags, 0o644);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    await makeDirectory(dirname(path));
    return await open(path, flags, 0o644);
  }
}

/** unlink, content when there is nothing to remove. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Removes a directory and those above it, up to `root`, as far as they are empty. */
export async function removeEmptyFolders(folder: string, root: string): Promise<void> {
  try {
    for (let path = folder; path !== root; path = dirname(path)) await rmdir(path);
  } catch {
    // Whatever speaks against it (a new file above all) speaks for leaving the directory.
  }
}
