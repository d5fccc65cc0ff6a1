import type { Route } from '../origin/route.ts';
import { findRoute } from '../serve/target.ts';
import type { ControlContext } from './context.ts';

/**
 * What a path or a URL of the admin's means: a path is taken as `ls` prints it, a URL as a client
 * would send it.
 *
 * @throws CacheError `bad-request`, `not-found` or `forbidden`, as for a client.
 */
export function routeOf(path: string, { serve }: ControlContext): Route {
  const target = /^https?:\/\//i.test(path) ? path : `/${encoded(path.replace(/^\/+/, ''))}`;
  const { config, policy } = serve.settings();
  const { repositories } = config;
  return findRoute({ target, host: undefined }, { repositories, policy, isOwn: serve.isOwn });
}

// Lone surrogates have no encoding: they stand for what is not UTF-8, as in the list itself.
function encoded(path: string): string {
  return path.toWellFormed().split('/').map(encodeURIComponent).join('/');
}
