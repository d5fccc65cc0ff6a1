import type { Route } from '../origin/route.ts';
import type { ServeContext } from './context.ts';
import { findRoute } from './target.ts';

/**
 * The route of a key, as `ls` prints it: where it would be fetched from.
 *
 * @throws CacheError `bad-request` or `not-found`, as for a client that asks for it.
 */
export function routeOfKey(key: string, { settings, isOwn }: ServeContext): Route {
  const { config, policy } = settings();
  const { repositories } = config;
  const target = `/${encoded(key)}`;
  return findRoute({ target, host: undefined }, { repositories, policy, isOwn });
}

// Lone surrogates have no encoding: they stand for what is not UTF-8, as in the list itself.
function encoded(key: string): string {
  return key.toWellFormed().split('/').map(encodeURIComponent).join('/');
}
