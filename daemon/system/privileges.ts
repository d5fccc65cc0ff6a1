import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { CacheError, describe } from '../errors.ts';

/** Whom to become, as the configuration names them. */
export interface AccountNames {
  readonly user: string;
  readonly group: string | undefined;
}

/** A user and the group it is to have. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

// @types/node lacks initgroups(3), which Node has.
type Unix = NodeJS.Process & {
  readonly initgroups?: (user: string | number, group: number) => void;
};

/**
 * Looks up whom to become. Undefined where there is nothing to drop: without root, or when root is
 * who to be.
 *
 * @throws CacheError `config` when there is no such user or group.
 */
export function findAccount({ user, group }: AccountNames): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  try {
    const uid = isNumber(user) ? Number(user) : askId('-u', user);
    const gid = group === undefined ? askId('-g', user) : groupId(group);
    return uid === 0 ? undefined : { uid, gid };
  } catch (cause) {
    throw refused(user, `is there such a user and group? ${describe(cause)}`, cause);
  }
}

/**
 * Becomes another user for good, supplementary groups included and in every thread, and makes sure
 * that there is no way back. `user` is the name it was found by.
 *
 * @throws CacheError `config` when that cannot be had: then this process must not go on.
 */
export function becomeAccount({ uid, gid }: Account, user: string): void {
  let isRoot: boolean;
  try {
    takeGroups(user, gid);
    process.setgid?.(gid);
    process.setuid?.(uid);
    isRoot = keepsRoot({ uid, gid });
  } catch (cause) {
    throw refused(user, describe(cause), cause);
  }
  if (isRoot) throw refused(user, 'root could be had back');
}

function takeGroups(user: string, gid: number): void {
  const { initgroups, setgroups } = process as Unix;
  try {
    initgroups?.(isNumber(user) ? Number(user) : user, gid);
  } catch (error) {
    if (!isNumber(user)) throw error;
    // A mere number, as containers have it, is in no database and so in no other group.
    setgroups?.([gid]);
  }
}

function keepsRoot({ uid, gid }: Account): boolean {
  try {
    process.setuid?.(0);
    return true;
  } catch {
    // As it should be. The saved ids, which no call of Node's shows, are checked as well.
    const ids = identity();
    return ids.Uid.some((id) => id !== uid) || ids.Gid.some((id) => id !== gid);
  }
}

/** Real, effective, saved and file-system ids, as the kernel has them (proc_pid_status(5)). */
function identity(): { readonly Uid: readonly number[]; readonly Gid: readonly number[] } {
  const status = readFileSync('/proc/self/status', 'latin1');
  const idsOf = (name: string) =>
    new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1]?.split('\t').map(Number) ?? [-1];
  return { Uid: idsOf('Uid'), Gid: idsOf('Gid') };
}

// Node cannot ask the account databases, of which /etc/passwd is only one.
function askId(what: '-u' | '-g', user: string): number {
  return Number(execFileSync('id', [what, user], { encoding: 'utf8', stdio: 'pipe' }));
}

// There is no id(1) for groups. Becoming one for a moment asks the same databases, and root can.
function groupId(group: string): number {
  if (isNumber(group)) return Number(group);
  const former = process.getegid?.() ?? 0;
  process.setegid?.(group);
  const id = process.getegid?.() ?? 0;
  process.setegid?.(former);
  return id;
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name);
}

function refused(user: string, reason: string, cause?: unknown): CacheError {
  return new CacheError('config', { verb: 'become user', thing: user, reason, cause });
}
