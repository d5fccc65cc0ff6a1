import { parseNames } from '../addresses.ts';
import { parseProxy } from '../sources.ts';
import { parsePath, parsePaths, parseYesNo } from '../values.ts';
import type { Key } from './key.ts';

/** The way to the sources. */
export const upstreamKeys = {
  MANIFESTS: {
    field: 'manifests',
    default: 'none',
    example: '/var/db/repos/gentoo',
    why: 'Gentoo repositories whose Manifests tell the size and digest that a distfile must have.',
    change: 'live',
    parse: parsePaths,
  },
  SRC_URI_RESCUE: {
    field: 'srcUriRescue',
    default: 'no',
    why: 'Whether a distfile that no source has is fetched from where ebuilds say, if proven.',
    change: 'live',
    parse: parseYesNo,
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
  UPSTREAM_NO_PROXY: {
    field: 'upstreamNoProxy',
    default: 'none',
    example: 'mirror.lan 192.168.1.5',
    why: 'Hosts that are asked without that proxy, and those below their names.',
    change: 'restart',
    parse: parseNames,
  },
} as const satisfies Readonly<Record<string, Key>>;
