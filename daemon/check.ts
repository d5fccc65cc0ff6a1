import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { checkDirectory } from './cache/directory.ts';
import type { Config } from './config/config.ts';
import { controlPlaces } from './control/place.ts';
import { errnoOf } from './errors.ts';
import { findRepositories } from './gentoo/repositories.ts';
import { connectionDoubt } from './serve/allowance.ts';
import { createSettings } from './serve/settings.ts';
import { readCertificates } from './system/certificates.ts';
import { descriptorLimit } from './system/descriptors.ts';
import { becomeAccount, findAccount } from './system/privileges.ts';
import { type Wanted, wayOut } from './system/way-out.ts';

/**
 * Checks all that can be known before a start, as the user that the daemon is to be: makes and
 * changes nothing, and disturbs no daemon that runs. For good this process is that user then.
 *
 * @returns what a start would get over, a line each.
 * @throws CacheError that says what would keep a daemon from starting.
 */
export async function check(config: Config): Promise<readonly string[]> {
  createSettings(config);
  const { user } = config;
  const account = user === undefined ? undefined : findAccount({ user, group: config.group });
  const rootMakes = account !== undefined || process.getuid?.() === 0;
  if (account !== undefined && user !== undefined) becomeAccount(account, user);
  if (config.caFile !== undefined) await readCertificates(config.caFile);
  // What another user may do, only root can find out.
  if (account === undefined && user !== undefined && !isMe(user)) {
    return [
      `CACHE_DIR, MANIFESTS and the logs are not checked: only root can do that as PC_USER "${user}"`,
    ];
  }
  await checkDirectory(config.cacheDir, { rootMakes });
  const places = await controlPlaces({ ...config, env: process.env });
  const [socket] = places;
  const doubts = [
    await reloadDoubt(config),
    connectionDoubt(await descriptorLimit(), config),
    await doubt('write log', config.logFile, { wanted: 'file', rootMakes }),
    await doubt('write access log', config.accessLog, { wanted: 'file', rootMakes }),
    await doubt('make the control socket in', socket && dirname(socket), {
      wanted: 'directory',
      rootMakes,
    }),
    ...findRepositories(config.manifests).problems.values(),
  ];
  return doubts.filter((line) => line !== undefined);
}

/** Why a reload would fail that this user makes, if it would: the file may be root's alone. */
export async function reloadDoubt({ file }: Config): Promise<string | undefined> {
  if (file === undefined) return undefined;
  return access(file, constants.R_OK).then(
    () => undefined,
    () => `Cannot reload "${file}" later: the user that the daemon becomes may not read it`,
  );
}

interface Doubtful {
  readonly wanted: Wanted;
  readonly rootMakes: boolean;
}

/** Why a path could not be written, if it could not: itself, or where it is to be made. */
async function doubt(
  verb: string,
  path: string | undefined,
  { wanted, rootMakes }: Doubtful,
): Promise<string | undefined> {
  if (path === undefined) return undefined;
  let error = await whyNotWrite(path);
  if (errnoOf(error) === 'ENOENT') {
    const isDirectory = wanted === 'directory';
    if (isDirectory && rootMakes) return undefined;
    error = await whyNotWrite(isDirectory ? await nearestAbove(path) : dirname(path));
    if (errnoOf(error) === 'ENOENT' && rootMakes) return undefined;
  }
  return error === undefined
    ? undefined
    : `Cannot ${verb} "${path}": ${wayOut(path, error, wanted)}`;
}

async function whyNotWrite(path: string): Promise<unknown> {
  return access(path, constants.W_OK).catch((error: unknown) => error);
}

async function nearestAbove(path: string): Promise<string> {
  const parent = dirname(path);
  const isMissing = errnoOf(await whyNotWrite(parent)) === 'ENOENT';
  return isMissing ? nearestAbove(parent) : parent;
}

function isMe(user: string): boolean {
  try {
    return [userInfo().username, String(process.getuid?.())].includes(user);
  } catch {
    return String(process.getuid?.()) === user;
  }
}
