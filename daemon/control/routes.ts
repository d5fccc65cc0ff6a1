import type { Route } from '../origin/route.ts';
import { routeOfKey } from '../serve/key-route.ts';
import { findRoute } from '../serve/target.ts';
import type { ControlContext } from './context.ts';

/**
 * What a path or a URL of the admin's means: a path is taken as `ls` prints it, a URL as a client
 * would send it.
 *
 * @throws CacheError `bad-request`, `not-found` or `forbidden`, as for a client.
 */
export function routeOf(path: string, { serve }: ControlContext): Route {
  if (!/^https?:\/\//i.test(path)) return routeOfKey(path.replace(/^\/+/, ''), serve);
  const { config, policy } = serve.settings();
  const { repositories } = config;
  return findRoute({ target: path, host: undefined }, { repositories, policy, isOwn: serve.isOwn });
}
