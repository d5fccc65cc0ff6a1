import { execFileSync } from 'node:child_process';
import { CacheError, describe } from '../errors.ts';

/** Whom to become. */
export interface Account {
  readonly user: string;
  readonly group: string | undefined;
}

// @types/node lacks initgroups(3), which Node has.
type Unix = NodeJS.Process & { readonly initgroups?: (user: string, group: string) => void };

/**
 * Becomes another user for good, supplementary groups included, and makes sure that there is no
 * way back. Without root there is nothing to drop, and nothing happens.
 *
 * @throws CacheError `config` when there is no such user or group.
 */
export function dropPrivileges({ user, group }: Account): void {
  const { setgid, setuid, initgroups, getuid } = process as Unix;
  if (getuid?.() !== 0 || user === 'root') return;
  try {
    const name = group ?? primaryGroup(user);
    initgroups?.(user, name);
    setgid?.(name);
    setuid?.(user);
  } catch (cause) {
    throw refused(user, `is there such a user and group? ${describe(cause)}`, cause);
  }
  try {
    setuid?.(0);
  } catch {
    return;
  }
  throw refused(user, 'root could be had back');
}

// Node cannot ask the account databases, of which /etc/passwd is only one.
function primaryGroup(user: string): string {
  return execFileSync('id', ['-gn', user], { encoding: 'utf8', stdio: 'pipe' }).trim();
}

function refused(user: string, reason: string, cause?: unknown): CacheError {
  return new CacheError('config', { verb: 'become user', thing: user, reason, cause });
}
