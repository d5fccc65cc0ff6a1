import { constants, type Stats } from 'node:fs';
import { access, chmod, chown, lstat, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { CacheError, describe, errnoOf } from '../errors.ts';
import { wayOut } from '../system/way-out.ts';

/** What the address of a Unix socket holds on Linux, without its final NUL. */
const MAX_PATH_BYTES = 107;

/** The directory of the service, which its service files make. */
const SERVICE_DIRECTORY = '/run/package-cache';

/** What decides where the socket is. */
export interface PlaceOptions {
  /** CONTROL_SOCKET: the one place, when it is set. */
  readonly controlSocket?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Where the control socket may be, the best place first. */
export async function controlPlaces({ controlSocket, env }: PlaceOptions): Promise<string[]> {
  if (controlSocket !== undefined) return [controlSocket];
  const { RUNTIME_DIRECTORY: service, XDG_RUNTIME_DIR: session } = env;
  const folders: string[] = [];
  // systemd names several with colons between them.
  if (service) folders.push(service.split(':')[0] ?? service);
  if (await isWritable(SERVICE_DIRECTORY)) folders.push(SERVICE_DIRECTORY);
  if (session) folders.push(`${session}/package-cache`);
  return folders.map((folder) => `${folder}/control.sock`);
}

// Root may make it; a service finds it made.
async function isWritable(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    return errnoOf(error) === 'ENOENT' && folder !== '/' && (await isWritable(dirname(folder)));
  }
}

/**
 * Makes a place ready to be listened on: its directory is there and nobody else's to change, and
 * a socket that a crash left is gone.
 *
 * @throws CacheError `in-use` when another daemon answers there, `config` when it is no good.
 */
export async function clearPlace(path: string): Promise<void> {
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_PATH_BYTES) {
    throw unusable(path, `a socket's path has at most ${MAX_PATH_BYTES} bytes, not ${bytes}`);
  }
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await refuseOpenDirectories(path);
    const found = await lstat(path).catch(ignoreMissing);
    if (found === undefined) return;
    if (!found.isSocket()) throw unusable(path, 'what is there is no socket; move it away');
    if (await isLive(path)) {
      throw new CacheError('in-use', {
        verb: 'listen on',
        thing: path,
        reason: 'another daemon does',
      });
    }
    await rm(path, { force: true });
  } catch (error) {
    throw error instanceof CacheError ? error : cannotListen(path, error);
  }
}

/** The error of the system, with the way out where it is a matter of permissions. */
export function cannotListen(path: string, cause: unknown): CacheError {
  const folder = dirname(path);
  const denied = ['EACCES', 'EPERM', 'EROFS'].includes(errnoOf(cause) ?? '');
  if (!denied) return unusable(path, describe(cause), cause);
  // What lies at the root, as /run does, is to be nobody's own.
  const shared = dirname(folder) === '/';
  const reason = shared
    ? `nobody but root may write to ${folder}; name a directory of its own in CONTROL_SOCKET`
    : wayOut(folder, cause, 'directory');
  return unusable(path, reason, cause);
}

function ignoreMissing(error: unknown): undefined {
  if (errnoOf(error) !== 'ENOENT') throw error;
}

// Whoever may write to a directory may put another socket in our place; a sticky one, as /tmp,
// lets everybody touch only what is theirs.
async function refuseOpenDirectories(path: string): Promise<void> {
  const parent = dirname(path);
  for (let folder = parent; ; folder = dirname(folder)) {
    const found = await stat(folder);
    if (isOpen(found, folder === parent ? 0o022 : 0o002)) {
      throw unusable(path, `others may write to ${folder}: chmod go-w '${folder}'`);
    }
    if (folder === dirname(folder)) return;
  }
}

function isOpen({ mode }: Stats, bits: number): boolean {
  return (mode & bits) !== 0 && (mode & 0o1000) === 0;
}

/** Whether somebody listens: only a refusal proves that nobody does. */
async function isLive(path: string): Promise<boolean> {
  const socket = connect(path);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once('connect', () => resolve(true));
  socket.once('error', (error) =>
    resolve(!['ECONNREFUSED', 'ENOENT'].includes(errnoOf(error) ?? '')),
  );
  return promise.finally(() => socket.destroy());
}

/**
 * Opens a socket that listens to the members of a group; without one, to its owner's.
 *
 * @throws CacheError `config` that names the group; until then nobody but the owner gets in.
 */
export async function admitGroup(path: string, group: string | undefined): Promise<void> {
  try {
    const id = group === undefined ? undefined : await groupId(group);
    // A sandbox may refuse the call itself: where there is nothing to change it is not made.
    if (id !== undefined && id !== (await lstat(path)).gid) await chown(path, -1, id);
    await chmod(path, 0o660);
  } catch (cause) {
    await chmod(path, 0o600).catch(() => {});
    throw unusable(path, `its group cannot be "${group}": ${describe(cause)}`, cause);
  }
}

async function groupId(name: string): Promise<number> {
  if (/^\d+$/.test(name)) return Number(name);
  const lines = (await readFile('/etc/group', 'utf8')).split('\n');
  const id = lines.find((line) => line.startsWith(`${name}:`))?.split(':')[2];
  if (id !== undefined && /^\d+$/.test(id)) return Number(id);
  throw new Error('/etc/group does not know it');
}

function unusable(path: string, reason: string, cause?: unknown): CacheError {
  return new CacheError('config', { verb: 'listen on', thing: path, reason, cause });
}
