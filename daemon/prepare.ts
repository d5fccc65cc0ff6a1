import { dirname } from 'node:path';
import type { Config } from './config/config.ts';
import { controlPlaces } from './control/place.ts';
import { adoptListener, bindListeners, type Listener } from './serve/listener.ts';
import { type HandedControl, takeSockets } from './system/activation.ts';
import { makeOwnDirectory } from './system/own-directory.ts';
import { type Account, becomeAccount, findAccount } from './system/privileges.ts';

/** What was done as the user that started the daemon. */
export interface Prepared {
  readonly listeners: readonly Listener[];
  /** Whether these are sockets of somebody else's. */
  readonly handed: boolean;
  /** Where the control socket may be, the best place first. */
  readonly controlPlaces: readonly string[];
  /** The control socket, when it is somebody else's. */
  readonly handedControl: HandedControl | undefined;
}

/**
 * Does what may take root, and is root no more: makes the directories, takes the address, becomes
 * PC_USER. All else is opened after that, so that whatever is written is that user's.
 *
 * @throws CacheError that says what cannot be had.
 */
export async function prepare(config: Config, env: NodeJS.ProcessEnv): Promise<Prepared> {
  const { user, group } = config;
  const account = user === undefined ? undefined : findAccount({ user, group });
  const { http, control } = takeSockets(env);
  const places = await controlPlaces({ ...config, env });
  if (account !== undefined) await makeDirectories({ config, places, account });
  const handed = http.length > 0;
  const listeners = handed
    ? http.map((descriptor) => adoptListener(descriptor, config))
    : await bindListeners(config);
  if (account !== undefined && user !== undefined) becomeAccount(account, user);
  return { listeners, handed, controlPlaces: places, handedControl: control };
}

interface Making {
  readonly config: Config;
  readonly places: readonly string[];
  readonly account: Account;
}

async function makeDirectories({ config, places, account }: Making): Promise<void> {
  await makeOwnDirectory(config.cacheDir, account);
  // The daemon does without these, and whoever opens them says why.
  for (const path of [places[0], config.logFile, config.accessLog]) {
    if (path !== undefined) await makeOwnDirectory(dirname(path), account).catch(() => {});
  }
}
