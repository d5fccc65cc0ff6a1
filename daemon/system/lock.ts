import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { CacheError, describe } from '../errors.ts';
import { LOCK_EX, LOCK_NB, loadLibc } from './libc.ts';

/**
 * Takes an exclusive lock on a file for as long as this process lives: flock(2), which the kernel
 * lets go with the process, so that a crash cannot leave it behind.
 *
 * @returns the handle that holds the lock; closing it gives the lock back.
 * @throws CacheError `in-use` when another process holds it, `storage` when it cannot be taken.
 */
export async function lockFile(path: string, purpose: string): Promise<FileHandle> {
  let handle: FileHandle | undefined;
  let locked: boolean;
  try {
    handle = await open(path, 'a', 0o644);
    locked = await tryLock(handle.fd);
  } catch (cause) {
    await handle?.close();
    throw new CacheError('storage', { verb: 'lock', thing: path, reason: describe(cause), cause });
  }
  if (locked) return handle;
  await handle.close();
  throw new CacheError('in-use', {
    verb: 'use',
    thing: purpose,
    reason: 'another package-cache uses it; stop that one or choose another CACHE_DIR',
  });
}

async function tryLock(descriptor: number): Promise<boolean> {
  const libc = await loadLibc();
  if (libc !== undefined) return libc.flock(descriptor, LOCK_EX | LOCK_NB) === 0;
  // The lock belongs to the open file description, which the child shares: it outlives the child.
  const child = spawn('flock', ['-x', '-n', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', descriptor],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code === 0;
}
