import { parseCount, parseHeadSize, parseTimeout, parseYesNo } from '../values.ts';
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
  MAX_FILLS_PER_SOURCE: {
    field: 'maxFillsPerSource',
    default: '16',
    why: 'Requests to one source at the same time; what comes on top waits for its turn.',
    change: 'live',
    parse: parseCount,
  },
  MAX_QUEUE: {
    field: 'maxQueue',
    default: '256',
    why: 'Requests that wait for their turn; beyond, the next source is asked at once.',
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
  MAX_HEAD_SIZE: {
    field: 'maxHeadSize',
    default: '16K',
    why: 'The longest head of a request: its first line and its fields.',
    change: 'restart',
    parse: parseHeadSize,
  },
  HEAD_TIMEOUT: {
    field: 'headTimeout',
    default: '30s',
    why: 'How long a client may take to send such a head.',
    change: 'live',
    parse: parseTimeout,
  },
  IDLE_TIMEOUT: {
    field: 'idleTimeout',
    default: '75s',
    why: 'How long a connection stays open between two requests.',
    change: 'live',
    parse: parseTimeout,
  },
  STALL_TIMEOUT: {
    field: 'stallTimeout',
    default: '5m',
    why: 'How long a client may take no byte of its answer before it is given up.',
    change: 'live',
    parse: parseTimeout,
  },
  MAX_CONTROL_CONNECTIONS: {
    field: 'maxControlConnections',
    default: '32',
    why: 'Connections of package-cache-ctl at the same time.',
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
