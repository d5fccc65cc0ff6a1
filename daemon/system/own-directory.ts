import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CacheError, errnoOf } from '../errors.ts';
import type { Account } from './privileges.ts';
import { wayOut } from './way-out.ts';

/**
 * Makes a directory that is missing and gives it to an account; parents that are missing too stay
 * root's. One that is there is left as it is: whose it is was somebody's choice.
 *
 * @throws CacheError `storage` with the way out, when it cannot be made.
 */
export async function makeOwnDirectory(path: string, account: Account): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await mkdir(path, { mode: 0o755 });
    // By handle: nobody can have put anything else in its place.
    const handle = await open(path, constants.O_DIRECTORY | constants.O_NOFOLLOW);
    await handle.chown(account.uid, account.gid).finally(() => handle.close());
  } catch (cause) {
    if (errnoOf(cause) === 'EEXIST') return;
    const reason = wayOut(path, cause, 'directory');
    throw new CacheError('storage', { verb: 'make directory', thing: path, reason, cause });
  }
}
