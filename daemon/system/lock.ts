import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants as modes } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { constants } from 'node:os';
import { CacheError, describe } from '../errors.ts';
import { errnoName } from './koffi.ts';
import { LOCK_EX, LOCK_NB, loadLibc } from './libc.ts';

/**
 * Takes an exclusive lock on a file for as long as this process lives: flock(2), which the kernel
 * lets go with the process, so that a crash cannot leave it behind. Follows no symlink at its end.
 *
 * @returns the handle that holds the lock; closing it gives the lock back.
 * @throws CacheError `in-use` when another process holds it, `storage` when it cannot be taken.
 */
export async function lockFile(path: string, purpose: string): Promise<FileHandle> {
  let handle: FileHandle | undefined;
  let locked: boolean;
  try {
    handle = await open(path, modes.O_WRONLY | modes.O_CREAT | modes.O_NOFOLLOW, 0o644);
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
  if (libc === undefined) return tryProgram(descriptor);
  const errno = libc.flock(descriptor, LOCK_EX | LOCK_NB);
  if (errno === 0 || errno === constants.errno.EWOULDBLOCK) return errno === 0;
  throw new Error(`its file system gives no locks: ${errnoName(errno)}`);
}

// The lock belongs to the open file description, which the child shares: it outlives the child.
async function tryProgram(descriptor: number): Promise<boolean> {
  const child = spawn('flock', ['-x', '-n', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', descriptor],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code === 0 || code === 1) return code === 0;
  throw new Error(`the program flock ended with ${code}`);
}
