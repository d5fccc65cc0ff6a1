import { type Config, changedKeys } from './config/config.ts';
import type { Changed } from './control/context.ts';
import type { Events } from './events.ts';
import type { OpenManifests } from './gentoo/open-manifests.ts';
import type { Budget } from './room/budget.ts';
import { connectionDoubt } from './serve/allowance.ts';
import type { Settings } from './serve/context.ts';
import { createSettings } from './serve/settings.ts';
import { descriptorLimit } from './system/descriptors.ts';
import type { Log, LogLevel } from './system/log.ts';
import type { ServiceManager } from './system/service-manager.ts';

/** What a configuration comes from, and whom it concerns. */
export interface LiveConfigOptions {
  /** What the daemon was started with. */
  readonly config: Config;
  /** Reads the configuration again; without it there is nothing to reload. */
  readonly load?: (() => Config) | undefined;
  readonly log: Log;
  readonly budget: Budget;
  readonly manifests: OpenManifests;
  readonly events: Events;
  readonly manager?: ServiceManager | undefined;
}

/** The configuration in force. */
export interface LiveConfig {
  settings(): Settings;
  /** The keys that were changed and wait for a restart. */
  pending(): readonly string[];
  logLevel(): LogLevel;
  setLogLevel(level: LogLevel): void;
  /**
   * Reads the configuration again and takes it over, as far as that goes without a restart. Resolves
   * when the logs that were open until now have all their lines.
   *
   * @throws CacheError when it is wrong; then it stays as it was.
   */
  reload(): Promise<Changed>;
}

/** Begins with what the daemon was started with. */
export function createLiveConfig(options: LiveConfigOptions): LiveConfig {
  const { config, load, log, budget, manifests, events, manager } = options;
  let settings = createSettings(config);
  let { logLevel } = config;
  const takeOver = async (): Promise<Changed> => {
    const fresh = load?.() ?? settings.config;
    const { live } = changedKeys(settings.config, fresh);
    const { restart } = changedKeys(config, fresh);
    settings = createSettings(fresh);
    logLevel = fresh.logLevel;
    budget.configure(fresh);
    manifests.configure(fresh.manifests);
    const reopened = log.configure(fresh);
    tellChanges({ live, restart }, log);
    const doubt = connectionDoubt(await descriptorLimit(), fresh);
    if (doubt !== undefined && live.length > 0) log.warn(doubt);
    const changed = [...live, ...restart].join(', ');
    const outcome = changed === '' ? 'nothing changed' : `${changed} changed`;
    events.emit('reload', fresh.file ?? '', outcome);
    await reopened;
    return { live, restart };
  };
  return {
    settings: () => settings,
    pending: () => changedKeys(config, settings.config).restart,
    logLevel: () => logLevel,
    setLogLevel: (level) => {
      logLevel = level;
      log.setLevel(level);
    },
    reload: async () => {
      manager?.reloading();
      try {
        return await takeOver();
      } finally {
        manager?.reloaded();
      }
    },
  };
}

function tellChanges({ live, restart }: Changed, log: Log): void {
  if (live.length > 0) log.info(`reloaded: ${live.join(', ')} changed`);
  if (restart.length > 0) {
    log.warn(`reloaded, but a restart is needed for ${restart.join(', ')}`);
  }
  if (live.length + restart.length === 0) log.info('reloaded: nothing changed');
}
