import { parseCount, parseYesNo } from '../values.ts';
import type { Key } from './key.ts';

/** Limits. */
export const limitsKeys = {
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
