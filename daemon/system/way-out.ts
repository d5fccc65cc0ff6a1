import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, resolve } from 'node:path';
import { describe, errnoOf } from '../errors.ts';

/** What a path is to be: a file, a directory, or one with all that is below it. */
export type Wanted = 'file' | 'directory' | 'tree';

/**
 * Why this process cannot write to a path of its own, and the command that mends it. `cause` is the
 * error of the operating system, which may be about something below the path.
 */
export function wayOut(path: string, cause: unknown, wanted: Wanted): string {
  switch (errnoOf(cause)) {
    case 'EACCES':
    case 'EPERM':
      return wayIn(path, pathOf(cause) ?? path, wanted);
    case 'EROFS':
      return `its file system is mounted read-only; ${inSandbox() ? sandboxWay(path) : 'remount it'}`;
    default:
      return describe(cause);
  }
}

/**
 * Why this process cannot read a path that somebody else owns, with all that is below it, and the
 * command that mends it; `cause` as for `wayOut`.
 */
export function wayToRead(path: string, cause: unknown): string {
  const errno = errnoOf(cause);
  if (/^(?:ENOENT|EACCES)$/.test(errno ?? '') && isHidden(path)) return hiddenWay(path);
  if (errno === 'ENOENT') return 'it does not exist';
  if (errno !== 'EACCES') return describe(cause);
  const tree = quoted(path);
  return closedOnTheWay(path) ?? `${who()} may not read it; mend it with: chmod -R o+rX ${tree}`;
}

// Whoever may not write is told which of the many directories on the way is the one.
function wayIn(path: string, denied: string, wanted: Wanted): string {
  const closed = closedOnTheWay(path);
  if (closed !== undefined) return closed;
  const [name, group] = [userName(), groupName()];
  const own = (ownerOf(denied) ?? ownerOf(dirname(denied))) === process.getuid?.();
  const [all, every] = [quoted(path), wanted === 'tree' ? '-R ' : ''];
  const change = own ? `chmod ${every}u+rwX ${all}` : `chown ${every}${name}:${group} ${all}`;
  const owner = `-o ${name} -g ${group}`;
  const make = `install ${wanted === 'file' ? `-m 640 ${owner} /dev/null` : `-d ${owner}`} ${all}`;
  return `${who()} may not write there; mend it with: ${existsSync(path) ? change : make}`;
}

function closedOnTheWay(path: string): string | undefined {
  const closed = parentsOf(path).find((folder) => !isOpen(folder));
  if (closed === undefined) return undefined;
  const folder = quoted(closed);
  return `${who()} may not enter ${folder}; mend it with: chmod o+x ${folder}`;
}

function who(): string {
  return `user ${userName()} (uid ${process.getuid?.()})`;
}

/** The directories on the way to a path, the first one first. */
function parentsOf(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...parentsOf(parent), parent];
}

function isOpen(folder: string): boolean {
  try {
    accessSync(folder, constants.X_OK);
    return true;
  } catch (error) {
    return errnoOf(error) !== 'EACCES';
  }
}

function ownerOf(path: string): number | undefined {
  try {
    return statSync(path).uid;
  } catch {
    return undefined;
  }
}

function pathOf(cause: unknown): string | undefined {
  const { path } = cause as NodeJS.ErrnoException;
  return typeof path === 'string' ? resolve(path) : undefined;
}

// In a container the user may have numbers and no names.
function userName(): string {
  return nameOr(() => userInfo().username, process.getuid?.());
}

function groupName(): string {
  const ask = () => execFileSync('id', ['-gn'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  return nameOr(ask, process.getgid?.());
}

function nameOr(ask: () => string, number: number | undefined): string {
  try {
    return ask();
  } catch {
    return String(number);
  }
}

// systemd.exec(5): set for every service, whose ProtectSystem= makes most paths read-only.
function inSandbox(): boolean {
  return process.env.INVOCATION_ID !== undefined;
}

// ProtectHome= and PrivateTmp=, which the shipped unit has.
function isHidden(path: string): boolean {
  return inSandbox() && /^\/(?:home|root|run\/user|tmp|var\/tmp)(?:\/|$)/.test(path);
}

function hiddenWay(path: string): string {
  const setting = /^\/(?:var\/)?tmp/.test(path)
    ? `BindReadOnlyPaths=${path}`
    : 'ProtectHome=read-only';
  return `the unit hides it; let it see it with ${setting} (systemctl edit)`;
}

function sandboxWay(path: string): string {
  return `let the unit write there with ReadWritePaths=${path} (systemctl edit), remount it`;
}

/** As one word for a shell. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}
