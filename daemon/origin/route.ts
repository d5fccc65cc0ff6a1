import type { RepositoryConfig } from '../config/config.ts';

/** Which repository a request belongs to, and what it asks of it. */
export interface Route {
  readonly repository: RepositoryConfig;
  /** The key below CACHE_DIR, with the repository's prefix. */
  readonly key: string;
  /** The decoded path below the repository's root: what the policy and the judge look at. */
  readonly path: string;
  /** The same path as the client spelled it, with the query if there is one: for the sources. */
  readonly upstreamPath: string;
  /** The Gentoo distfile that is asked for: it has one key, in whatever layout it was asked for. */
  readonly distfile?: string;
  /** The ids of the caches like this one that the request came through, the first one first. */
  readonly hops?: readonly string[];
  /** A listing or a query: forwarded, never stored. */
  readonly pass: boolean;
}

/** What a source is asked for, for a route. */
export function targetOf({ upstreamPath, distfile, hops }: Route) {
  return { path: upstreamPath, distfile, hops };
}
