import { CacheError, describe } from '../errors.ts';
import type { Said } from './judge.ts';

/** What the sources said when none of them gave the package. */
export interface Refused {
  readonly kind: 'missing' | 'failed';
  readonly said: readonly Said[];
}

/** The error for a client, which names each source and what it said. */
export function refusal(key: string, { kind, said }: Refused): CacheError {
  const summary = kind === 'missing' ? 'no source has it' : 'no source could deliver it';
  const words = said.map(({ source, reason }) => `${source.url}: ${reason}`).join('; ');
  return new CacheError(kind === 'missing' ? 'not-found' : 'source', {
    verb: 'fetch',
    thing: key,
    reason: `${summary} (${words})`,
  });
}

/** The error of a fill whose file cannot be made or written. */
export function unstorable(key: string, cause: unknown): CacheError {
  return new CacheError('storage', { verb: 'store', thing: key, reason: describe(cause), cause });
}

/** The error of a fill that was given up. */
export function cancelled(key: string, reason: string): CacheError {
  return new CacheError('cancelled', { verb: 'fetch', thing: key, reason });
}
