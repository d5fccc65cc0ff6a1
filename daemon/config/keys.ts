import { parseDuration } from '../units.ts';
import { parseAllow, parseHost, parsePort } from './addresses.ts';
import { parseMinFree } from './min-free.ts';
import { words } from './refuse.ts';
import { parseProxy, parseSources } from './sources.ts';
import {
  parseAccount,
  parseCacheDirectory,
  parseCount,
  parseCullAge,
  parseDelay,
  parseGlobs,
  parseLogLevel,
  parseMaxSize,
  parsePath,
  parsePaths,
  parseSocketPath,
  parseYesNo,
} from './values.ts';

/** What the project knows of one key of the configuration file. */
export interface Key {
  /** The name of its value among the settings. */
  readonly field: string;
  /** The value it has when unset, or words for that where there is an `example`. */
  readonly default: string;
  /** What the shipped file shows in place of the default. */
  readonly example?: string;
  /** One line of why. */
  readonly why: string;
  /** Whether a reload changes it or only a restart does. */
  readonly change: 'live' | 'restart';
  /** @throws CacheError whose reason says what to write instead. */
  readonly parse: (text: string) => unknown;
}

/** Every key of the configuration file, in the order of the shipped one. */
export const keys = {
  PC_USER: {
    field: 'user',
    default: 'the user that starts it',
    example: 'package-cache',
    why: 'The user the daemon becomes when it is started as root.',
    change: 'restart',
    parse: parseAccount,
  },
  PC_GROUP: {
    field: 'group',
    default: 'the group of PC_USER',
    example: 'package-cache',
    why: 'The group the daemon becomes; its members may use package-cache-ctl.',
    change: 'restart',
    parse: parseAccount,
  },
  CACHE_DIR: {
    field: 'cacheDir',
    default: '/var/cache/package-cache',
    why: 'Where the packages are stored, as plain files at plain paths.',
    change: 'restart',
    parse: parseCacheDirectory,
  },
  HOST: {
    field: 'host',
    default: '127.0.0.1',
    example: '0.0.0.0',
    why: 'The address to listen on; 0.0.0.0 (or :: with IPv6) serves the whole network.',
    change: 'restart',
    parse: parseHost,
  },
  PORT: {
    field: 'port',
    default: '4000',
    why: 'The port to listen on, as in GENTOO_MIRRORS="http://cache:4000/".',
    change: 'restart',
    parse: parsePort,
  },
  SOURCES: {
    field: 'sources',
    default: 'http://distfiles.gentoo.org/',
    why: 'Where packages come from, the first that works; a mirror near you is faster.',
    change: 'live',
    parse: parseSources,
  },
  'SOURCES_<name>': {
    field: 'repository',
    default: 'none',
    example: 'http://mirror.example.org/debian/',
    why: 'The sources of a further repository, served under /<name>/ (a-z, 0-9 and _).',
    change: 'live',
    parse: parseSources,
  },
  PC_OPTS: {
    field: 'options',
    default: '',
    why: 'Further command-line options; they win over the keys of this file.',
    change: 'restart',
    parse: words,
  },
  MUTABLE: {
    field: 'mutable',
    default: 'none but those built in',
    example: 'snapshots/*latest* **/CURRENT',
    why: 'Globs of names whose content changes: these are checked with the source.',
    change: 'live',
    parse: parseGlobs,
  },
  IMMUTABLE: {
    field: 'immutable',
    default: 'none but those built in',
    example: 'releases/**/*.img',
    why: 'Globs of names that never change: once stored these are not checked again.',
    change: 'live',
    parse: parseGlobs,
  },
  MUTABLE_TTL: {
    field: 'mutableTtl',
    default: '60s',
    why: 'For how long a file that may change is served without asking the source.',
    change: 'live',
    parse: parseDuration,
  },
  NEGATIVE_TTL: {
    field: 'negativeTtl',
    default: '10s',
    why: 'For how long "not found" is remembered when every source has said so.',
    change: 'live',
    parse: parseDuration,
  },
  HEDGE_AFTER: {
    field: 'hedgeAfter',
    default: '2s',
    why: 'How long a source may keep silent before the next one is asked as well.',
    change: 'live',
    parse: parseDelay,
  },
  MAX_SIZE: {
    field: 'maxSize',
    default: 'no limit',
    example: '200G',
    why: 'The most the cache may hold; beyond it the least recently used files go.',
    change: 'live',
    parse: parseMaxSize,
  },
  MIN_FREE: {
    field: 'minFree',
    default: '1G or 5% of the disk, the smaller',
    example: '5%',
    why: 'What stays free on the disk: with less, files are passed on and not stored.',
    change: 'live',
    parse: parseMinFree,
  },
  CULL_OLDER_THAN: {
    field: 'cullOlderThan',
    default: 'never',
    example: '180d',
    why: 'Removes, once a day, the files that nobody has asked for in so long.',
    change: 'live',
    parse: parseCullAge,
  },
  ALLOW: {
    field: 'allow',
    default: 'loopback private local',
    why: 'Who may ask: addresses, networks, loopback, private, local (our networks), any.',
    change: 'live',
    parse: parseAllow,
  },
  CONTROL_SOCKET: {
    field: 'controlSocket',
    default: 'control.sock in the run-time directory',
    example: '/run/package-cache/control.sock',
    why: 'The Unix socket on which package-cache-ctl reaches the daemon.',
    change: 'restart',
    parse: parseSocketPath,
  },
  LOG_LEVEL: {
    field: 'logLevel',
    default: 'info',
    why: 'How much the log tells: error, warn, info or debug.',
    change: 'live',
    parse: parseLogLevel,
  },
  LOG_FILE: {
    field: 'logFile',
    default: 'standard error',
    example: '/var/log/package-cache/package-cache.log',
    why: 'A file that takes the log; after it was moved away, a reload opens a new one.',
    change: 'live',
    parse: parsePath,
  },
  ACCESS_LOG: {
    field: 'accessLog',
    default: 'none',
    example: '/var/log/package-cache/access.log',
    why: 'A file that takes one line for every request.',
    change: 'live',
    parse: parsePath,
  },
  MANIFESTS: {
    field: 'manifests',
    default: 'none',
    example: '/var/db/repos/gentoo',
    why: 'Portage trees whose Manifests tell the size and digest that a file must have.',
    change: 'live',
    parse: parsePaths,
  },
  CA_FILE: {
    field: 'caFile',
    default: 'those of Node.js',
    example: '/etc/ssl/certs/ca-certificates.crt',
    why: 'The certificates (PEM) to trust for sources on https.',
    change: 'restart',
    parse: parsePath,
  },
  UPSTREAM_PROXY: {
    field: 'upstreamProxy',
    default: 'none',
    example: 'http://proxy.example.org:3128/',
    why: 'The HTTP proxy on the way to the sources; http_proxy is not looked at.',
    change: 'restart',
    parse: parseProxy,
  },
  MAX_FILLS: {
    field: 'maxFills',
    default: '64',
    why: 'Downloads at the same time; what comes on top is told to try again later.',
    change: 'live',
    parse: parseCount,
  },
  MAX_CONNECTIONS: {
    field: 'maxConnections',
    default: '4096',
    why: 'Client connections at the same time.',
    change: 'live',
    parse: parseCount,
  },
  MAX_CONNECTIONS_PER_CLIENT: {
    field: 'maxConnectionsPerClient',
    default: '512',
    why: 'Connections of one address, so that one client cannot shut out the others.',
    change: 'live',
    parse: parseCount,
  },
  SENDFILE: {
    field: 'sendfile',
    default: 'yes',
    why: 'Whether the kernel sends files by itself where it can; no has them read first.',
    change: 'restart',
    parse: parseYesNo,
  },
} as const satisfies Readonly<Record<string, Key>>;
