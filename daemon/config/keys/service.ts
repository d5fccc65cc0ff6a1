import { parseHosts, parsePort } from '../addresses.ts';
import { words } from '../refuse.ts';
import { parseSources } from '../sources.ts';
import { parseAccount, parseCacheDirectory } from '../values.ts';
import type { Key } from './key.ts';

/** The service. */
export const serviceKeys = {
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
    field: 'hosts',
    default: '127.0.0.1',
    example: '0.0.0.0',
    why: 'The addresses to listen on; 0.0.0.0 (or :: with IPv6) serves the whole network.',
    change: 'restart',
    parse: parseHosts,
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
} as const satisfies Readonly<Record<string, Key>>;
