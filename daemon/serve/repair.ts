import { CacheError, describe } from '../errors.ts';
import type { WrongEntry } from '../room/verify-book.ts';
import type { ServeContext } from './context.ts';
import { routeOfKey } from './key-route.ts';
import { prefetch } from './prefetch.ts';

/**
 * Takes an entry that was found to be wrong out of the cache.
 *
 * @returns false when another file has taken its place, or none: then nothing is wrong any more.
 * @throws CacheError `storage` that says why it stays.
 */
export async function takeOut(wrong: WrongEntry, context: ServeContext): Promise<boolean> {
  const { key, file, reason } = wrong;
  const { store, meta, census, fills, log, events } = context;
  const removed = await store.quarantine(key, file);
  if (removed === undefined) return false;
  census.noteRemoval(removed);
  await meta.remove(key);
  // What the sources said of it a moment ago is not to keep it from being fetched.
  await fills.forget((each) => each === key);
  log.warn(`wrong "${key}": ${reason}; it is in quarantine`);
  events.emit('wrong', key, `${reason}; it is in quarantine`);
  return true;
}

/** Fetches anew what was taken out. @returns why that failed, or undefined */
export async function fetchAnew(
  key: string,
  signal: AbortSignal,
  context: ServeContext,
): Promise<string | undefined> {
  try {
    await prefetch(routeOfKey(key, context), { filling: () => {}, signal }, context);
    return undefined;
  } catch (error) {
    return error instanceof CacheError ? error.reason : describe(error);
  }
}
