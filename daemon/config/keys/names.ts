import { parseDuration } from '../../units.ts';
import { parseDelay, parseGlobs } from '../values.ts';
import type { Key } from './key.ts';

/** Which names may change. */
export const namesKeys = {
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
} as const satisfies Readonly<Record<string, Key>>;
