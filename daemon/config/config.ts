import { isAbsolute, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { CacheError } from '../errors.ts';
import { type FileSettings, readSettings } from './file-settings.ts';
import { keyNames } from './key-names.ts';
import { keys } from './keys.ts';
import { defaultMinFree, type MinFree } from './min-free.ts';
import { parseOptions } from './options.ts';
import type { SourceUrl } from './source-url.ts';
import type { LogLevel } from './values.ts';

/** A URL prefix with sources of its own. */
export interface RepositoryConfig {
  /** The path component it is served under; '' is the root. */
  readonly name: string;
  readonly sources: readonly SourceUrl[];
}

/** What the daemon runs with: frozen, durations in ms, sizes in bytes. */
export interface Config {
  /** The configuration file, if one was read. */
  readonly file?: string;
  readonly user?: string;
  readonly group?: string;
  readonly cacheDir: string;
  readonly hosts: readonly string[];
  /** 0 for any that is free. */
  readonly port: number;
  /** The root first, the others in the order of the file. */
  readonly repositories: readonly RepositoryConfig[];
  readonly mutable: readonly string[];
  readonly immutable: readonly string[];
  readonly mutableTtl: number;
  readonly negativeTtl: number;
  readonly hedgeAfter: number;
  readonly maxSize?: number;
  readonly minFree: MinFree;
  readonly cullOlderThan?: number;
  readonly verifyNightly?: number;
  readonly allow: readonly string[];
  readonly controlSocket?: string;
  readonly manifests: readonly string[];
  readonly srcUriRescue: boolean;
  readonly caFile?: string;
  /** Its credentials included: never show it. */
  readonly upstreamProxy?: string;
  readonly upstreamNoProxy?: readonly string[];
  readonly logLevel: LogLevel;
  readonly logFile?: string;
  readonly accessLog?: string;
  readonly maxFills: number;
  readonly maxFillsPerSource: number;
  readonly maxQueue: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerClient: number;
  readonly maxHeadSize: number;
  readonly headTimeout: number;
  readonly idleTimeout: number;
  readonly stallTimeout: number;
  readonly maxControlConnections: number;
  readonly sendfile: boolean;
  readonly syslog: boolean;
}

/** Where a configuration comes from. */
export interface ConfigSources {
  /** The command line without the program's own name. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The user the daemon was started as: it decides the default CACHE_DIR. */
  readonly uid?: number;
}

/**
 * The configuration: the command line wins over PC_OPTS, PC_OPTS over the file's keys, and those
 * over the defaults.
 *
 * @throws CacheError `usage` for the command line, `config` for the file.
 */
export function loadConfig({ argv, env, uid = process.getuid?.() }: ConfigSources): Config {
  const options = parseOptions(argv);
  const path = 'config' in options ? options.config : undefined;
  const file: FileSettings =
    path === undefined ? { settings: {}, options: {}, repositories: [] } : readSettings(path);
  const { sources, cacheDir, ...settings } = {
    ...defaults(),
    ...file.settings,
    ...file.options,
    ...('settings' in options ? options.settings : {}),
  };
  return deepFreeze({
    ...settings,
    ...(path === undefined ? {} : { file: path }),
    cacheDir: cacheDir ?? defaultCacheDir({ env, service: path !== undefined || uid === 0 }),
    repositories: [{ name: '', sources }, ...file.repositories],
  });
}

/** The keys whose values differ, by whether a reload can take the new one over. */
export function changedKeys(before: Config, after: Config): { live: string[]; restart: string[] } {
  const changed: { live: string[]; restart: string[] } = { live: [], restart: [] };
  for (const name of keyNames) {
    changed[keys[name].change].push(...changedNames(name, before, after));
  }
  return changed;
}

/** The defaults of the table, read as if they stood in the file. */
function defaults() {
  const { HOST, PORT, SOURCES, MUTABLE_TTL, NEGATIVE_TTL, HEDGE_AFTER, ALLOW, LOG_LEVEL } = keys;
  return {
    hosts: HOST.parse(HOST.default),
    port: PORT.parse(PORT.default),
    sources: SOURCES.parse(SOURCES.default),
    mutable: [],
    immutable: [],
    mutableTtl: MUTABLE_TTL.parse(MUTABLE_TTL.default),
    negativeTtl: NEGATIVE_TTL.parse(NEGATIVE_TTL.default),
    hedgeAfter: HEDGE_AFTER.parse(HEDGE_AFTER.default),
    minFree: defaultMinFree,
    allow: ALLOW.parse(ALLOW.default),
    manifests: [],
    srcUriRescue: keys.SRC_URI_RESCUE.parse(keys.SRC_URI_RESCUE.default),
    logLevel: LOG_LEVEL.parse(LOG_LEVEL.default),
    ...defaultLimits(),
    syslog: false,
  };
}

function defaultLimits() {
  const { MAX_FILLS, MAX_FILLS_PER_SOURCE, MAX_QUEUE, MAX_CONNECTIONS } = keys;
  const { MAX_CONNECTIONS_PER_CLIENT, MAX_HEAD_SIZE, HEAD_TIMEOUT, IDLE_TIMEOUT } = keys;
  const { STALL_TIMEOUT, MAX_CONTROL_CONNECTIONS, SENDFILE } = keys;
  return {
    maxFills: MAX_FILLS.parse(MAX_FILLS.default),
    maxFillsPerSource: MAX_FILLS_PER_SOURCE.parse(MAX_FILLS_PER_SOURCE.default),
    maxQueue: MAX_QUEUE.parse(MAX_QUEUE.default),
    maxConnections: MAX_CONNECTIONS.parse(MAX_CONNECTIONS.default),
    maxConnectionsPerClient: MAX_CONNECTIONS_PER_CLIENT.parse(MAX_CONNECTIONS_PER_CLIENT.default),
    maxHeadSize: MAX_HEAD_SIZE.parse(MAX_HEAD_SIZE.default),
    headTimeout: HEAD_TIMEOUT.parse(HEAD_TIMEOUT.default),
    idleTimeout: IDLE_TIMEOUT.parse(IDLE_TIMEOUT.default),
    stallTimeout: STALL_TIMEOUT.parse(STALL_TIMEOUT.default),
    maxControlConnections: MAX_CONTROL_CONNECTIONS.parse(MAX_CONTROL_CONNECTIONS.default),
    sendfile: SENDFILE.parse(SENDFILE.default),
  };
}

/**
 * A service keeps its cache where its manager has made it (systemd.exec(5)). What reads a file or
 * runs as root is one too: it has its cache where the shipped file says, since its user may well
 * have no home, and changes when privileges are dropped.
 */
function defaultCacheDir({ env, service }: { env: NodeJS.ProcessEnv; service: boolean }): string {
  // systemd names several with colons between them.
  const [made = ''] = (env.CACHE_DIRECTORY ?? '').split(':');
  if (isAbsolute(made)) return made;
  if (service) return keys.CACHE_DIR.default;
  const { XDG_CACHE_HOME: caches = '', HOME: home = '' } = env;
  // A relative XDG_CACHE_HOME is to be ignored (XDG Base Directory Specification).
  if (isAbsolute(caches)) return join(caches, 'package-cache');
  if (isAbsolute(home)) return join(home, '.cache/package-cache');
  throw new CacheError('config', {
    verb: 'choose',
    thing: 'CACHE_DIR',
    reason: 'neither XDG_CACHE_HOME nor HOME names a directory, use --cache DIR',
  });
}

function changedNames(name: keyof typeof keys, before: Config, after: Config): string[] {
  const { field } = keys[name];
  if (field === 'sources') return changedRepositories(before, after).filter((key) => key === name);
  if (field === 'repository') {
    return changedRepositories(before, after).filter((key) => key !== 'SOURCES');
  }
  // Of the options only --syslog has no key of its own.
  const compared = field === 'options' ? 'syslog' : field;
  return isDeepStrictEqual(before[compared], after[compared]) ? [] : [name];
}

function changedRepositories(before: Config, after: Config): string[] {
  const names = [...before.repositories, ...after.repositories].map(({ name }) => name);
  const sourcesIn = (config: Config, wanted: string) =>
    config.repositories.find(({ name }) => name === wanted)?.sources;
  return [...new Set(names)]
    .filter((name) => !isDeepStrictEqual(sourcesIn(before, name), sourcesIn(after, name)))
    .map((name) => (name === '' ? 'SOURCES' : `SOURCES_${name}`));
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
