import { CacheError, describe } from '../errors.ts';
import type { Said } from './judge.ts';

/** What the sources said when none of them gave the package. */
export interface Refused {
  readonly kind: 'missing' | 'failed';
  /** Every source that is not set aside said that there is no such file. */
  readonly certain?: boolean;
  /** Every source did. */
  readonly unanimous?: boolean;
  /** A source was not asked because it had no place for the question. */
  readonly busy?: boolean;
  readonly said: readonly Said[];
}

/** The error for a client, which names each source and what it said. */
export function refusal(key: string, refused: Refused): CacheError {
  const { kind, busy, said } = refused;
  const summary = kind === 'missing' ? 'no source has it' : 'no source could deliver it';
  const words = said.map(({ source, reason }) => `${source.url}: ${reason}`).join('; ');
  const failed = busy === true ? 'busy' : 'source';
  return new CacheError(kind === 'missing' ? 'not-found' : failed, {
    verb: 'fetch',
    thing: key,
    reason: `${summary} (${words})`,
    cause: refused,
  });
}

/** Whether an error says that no source that works has the file. */
export function isCertain(error: unknown): boolean {
  return refusedOf(error)?.certain === true;
}

/** Whether an error says that each and every source was reached and has no such file. */
export function isUnanimous(error: unknown): boolean {
  return refusedOf(error)?.unanimous === true;
}

/** What each source said, by an error of `refusal`. */
export function saidBy(error: unknown): readonly Said[] {
  return refusedOf(error)?.said ?? [];
}

function refusedOf(error: unknown): Partial<Refused> | undefined {
  return error instanceof CacheError ? (error.cause as Partial<Refused> | undefined) : undefined;
}

/** The error of a fill whose file cannot be made or written. */
export function unstorable(key: string, cause: unknown): CacheError {
  return new CacheError('storage', { verb: 'store', thing: key, reason: describe(cause), cause });
}

/** The error of a fill that was given up. */
export function cancelled(key: string, reason: string): CacheError {
  return new CacheError('cancelled', { verb: 'fetch', thing: key, reason });
}

/** The error for readers of a body that no source can go on with. */
export function failure(key: string, error: unknown): CacheError {
  if (error instanceof CacheError) return error;
  return new CacheError('source', {
    verb: 'fetch',
    thing: key,
    reason: `the body broke off: ${describe(error)}`,
    cause: error,
  });
}

/** The error for readers whose bytes turn out to be of another file than the one there is now. */
export function anotherFile(key: string, offset: number): CacheError {
  return new CacheError('source', {
    verb: 'go on with',
    thing: key,
    reason: `what the sources have now differs at byte ${offset}`,
  });
}
