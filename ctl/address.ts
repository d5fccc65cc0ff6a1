import { readFileSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../daemon/errors.ts';
import { ControlFailure, cannot, exitCodes, failed, misused } from './failure.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The kernel's `sun_path` with its closing NUL has 108 bytes (unix(7)). */
const LONGEST_PATH = 107;

/**
 * Where to look for the daemon: a socket that was named is the only one.
 *
 * @throws ControlFailure for a path that no socket can have
 */
export function pathsFor(option: string | undefined, env: Environment): readonly string[] {
  const variable = env.PACKAGE_CACHE_SOCKET ?? '';
  const named = option ?? (variable === '' ? undefined : variable);
  if (named !== undefined) {
    const bytes = Buffer.byteLength(named);
    if (bytes > LONGEST_PATH) {
      throw misused(named, `a socket's path has at most ${LONGEST_PATH} bytes, not ${bytes}`);
    }
    return [named];
  }
  const own = env.XDG_RUNTIME_DIR ?? '';
  const paths = [
    '/run/package-cache/control.sock',
    ...(own === '' ? [] : [`${own}/package-cache/control.sock`]),
  ];
  return paths.filter((path) => Buffer.byteLength(path) <= LONGEST_PATH);
}

/** One path, and why nobody answered there. */
export interface Attempt {
  readonly path: string;
  readonly error: unknown;
}

/** Whether an error means that no daemon is there: then the next path is tried. */
export function isNobody(error: unknown): boolean {
  return ['ENOENT', 'ECONNREFUSED', 'ENOTDIR', 'ENOTSOCK'].includes(errnoOf(error) ?? '');
}

/** Whether an error means that somebody else may ask. */
export function isDenied(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes(errnoOf(error) ?? '');
}

/** The failure that tells of all paths that were tried. */
export function unreached(attempts: readonly Attempt[]): ControlFailure {
  const denied = attempts.find(({ error }) => isDenied(error));
  if (denied !== undefined) {
    const { path: thing, error: cause } = denied;
    return failed({ verb: 'reach', thing, reason: `permission denied${whoMay(thing)}`, cause });
  }
  const paths = attempts.map(({ path }) => path);
  const [only = '', ...others] = paths;
  const [thing, reason] =
    others.length === 0
      ? [only, `no daemon answers there, ${wordNobody(attempts[0]?.error)}`]
      : ['package-cache', `no daemon answers at ${paths.join(' or ')}`];
  const message = cannot({ verb: 'reach', thing, reason });
  return new ControlFailure(exitCodes.noDaemon, { message });
}

function wordNobody(error: unknown): string {
  return errnoOf(error) === 'ECONNREFUSED' ? 'nobody listens' : 'there is no such socket';
}

function whoMay(path: string): string {
  // Of a socket in a directory that is closed to us not even the group is told.
  const found = statOf(path) ?? statOf(dirname(path));
  if (found === undefined) return '';
  const groupMay = (found.mode & (found.isSocket() ? 0o020 : 0o010)) !== 0;
  const who = groupMay ? `the group ${groupName(found.gid)}` : 'its owner';
  return `; only root and ${who} may ask${groupMay ? ', see usermod(8)' : ''}`;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function groupName(gid: number): string {
  try {
    const entries = readFileSync('/etc/group', 'utf8').split('\n');
    const own = entries.find((entry) => entry.split(':')[2] === String(gid));
    return own?.split(':')[0] ?? String(gid);
  } catch {
    return String(gid);
  }
}
