import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../daemon/errors.ts';
import { ControlFailure, cannot, exitCodes, failed, misused } from './failure.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The kernel's `sun_path` with its closing NUL has 108 bytes (unix(7)). */
const LONGEST_PATH = 107;

/** Where a socket may be: one that was named is the only one. */
export interface Addresses {
  readonly paths: readonly string[];
  readonly named: boolean;
}

/** Where to look for the daemon. @throws ControlFailure for a path that no socket can have */
export function addressesFor(option: string | undefined, env: Environment): Addresses {
  const variable = env.PACKAGE_CACHE_SOCKET ?? '';
  const named = option ?? (variable === '' ? undefined : variable);
  if (named !== undefined) {
    const bytes = Buffer.byteLength(named);
    if (bytes > LONGEST_PATH) {
      throw misused(named, `a socket's path has at most ${LONGEST_PATH} bytes, not ${bytes}`);
    }
    return { paths: [named], named: true };
  }
  const own = env.XDG_RUNTIME_DIR ?? '';
  const paths = [
    '/run/package-cache/control.sock',
    ...(own === '' ? [] : [`${own}/package-cache/control.sock`]),
  ];
  return { paths: paths.filter((path) => Buffer.byteLength(path) <= LONGEST_PATH), named: false };
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
export function unreached({ paths }: Addresses, attempts: readonly Attempt[]): ControlFailure {
  const denied = attempts.find(({ error }) => isDenied(error));
  if (denied !== undefined) {
    const reason = `permission denied${whoMay(denied.path)}`;
    return failed(cannot('reach', denied.path, reason), denied.error);
  }
  const [only, ...others] = paths;
  const reason =
    only !== undefined && others.length === 0
      ? `no daemon answers there, ${wordNobody(attempts[0]?.error)}`
      : `no daemon answers at ${paths.join(' or ')}`;
  const thing = only !== undefined && others.length === 0 ? only : 'package-cache';
  return new ControlFailure(exitCodes.noDaemon, cannot('reach', thing, reason));
}

function wordNobody(error: unknown): string {
  return errnoOf(error) === 'ECONNREFUSED' ? 'nobody listens' : 'there is no such socket';
}

function whoMay(path: string): string {
  const group = groupOf(path) ?? groupOf(dirname(path));
  return group === undefined ? '' : `; only root and the group ${group} may ask, see usermod(8)`;
}

// Of a socket in a directory that is closed to us not even the group is told.
function groupOf(path: string): string | undefined {
  try {
    const { gid } = statSync(path);
    const line = readFileSync('/etc/group', 'utf8')
      .split('\n')
      .find((entry) => entry.split(':')[2] === String(gid));
    return line?.split(':')[0] ?? String(gid);
  } catch {
    return undefined;
  }
}
