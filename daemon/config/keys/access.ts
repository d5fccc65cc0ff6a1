import { parseAllow } from '../addresses.ts';
import { parseLogLevel, parsePath, parseSocketPath } from '../values.ts';
import type { Key } from './key.ts';

/** Who may ask, and who is told. */
export const accessKeys = {
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
} as const satisfies Readonly<Record<string, Key>>;
