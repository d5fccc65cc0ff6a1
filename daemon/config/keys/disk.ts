import { parseMinFree } from '../min-free.ts';
import { parseCullAge, parseMaxSize } from '../values.ts';
import type { Key } from './key.ts';

/** The disk. */
export const diskKeys = {
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
  VERIFY_NIGHTLY: {
    field: 'verifyNightly',
    default: 'none',
    example: '20G',
    why: 'How much is checked against the Manifests each night; what is wrong is fetched anew.',
    change: 'live',
    parse: parseMaxSize,
  },
} as const satisfies Readonly<Record<string, Key>>;
