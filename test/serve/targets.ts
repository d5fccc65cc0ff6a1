import { createPolicy } from '../../daemon/cache/policy.ts';
import type { RepositoryConfig } from '../../daemon/config/config.ts';
import { parseSourceUrl } from '../../daemon/config/source-url.ts';
import { CacheError, type ErrorCode } from '../../daemon/errors.ts';
import type { Route } from '../../daemon/origin/route.ts';
import { findRoute } from '../../daemon/serve/target.ts';

/** A request target and the Host beside it. */
export interface Asked {
  readonly target: string;
  readonly host?: string | undefined;
}

const repositories: readonly RepositoryConfig[] = [
  repository('', ['http://distfiles.gentoo.org/', 'https://mirror.example/gentoo/']),
  repository('debian', ['http://mirror.example.org/debian/']),
  repository('snap', ['http://mirror.example/gentoo/snapshots/']),
  // A loop, if it were ever followed.
  repository('own', ['http://cache:4000/pool/']),
  repository('six', ['http://[2001:db8::7]:8080/pub/odd%20name/']),
];

const policy = createPolicy({ immutable: [], mutable: [] });

/** Finds a route in a cache, at cache:4000 when nothing else is said, with a few repositories. */
export function route({ target, host }: Asked, isOwn = isAtCache): Route {
  return findRoute({ target, host }, { repositories, policy, isOwn });
}

/** A route in one line: `debian pool/a.deb`, and in brackets what the sources are asked for. */
export function word({ repository, path, upstreamPath, pass }: Route): string {
  const place = `${repository.name || 'root'} ${path}`.trimEnd();
  return `${pass ? 'pass ' : ''}${place}${upstreamPath === path ? '' : ` [${upstreamPath}]`}`;
}

/** Why there is no route. */
export function refusal(asked: Asked): ErrorCode | undefined {
  try {
    route(asked);
    return undefined;
  } catch (error) {
    if (error instanceof CacheError) return error.code;
    throw error;
  }
}

function repository(name: string, sources: readonly string[]): RepositoryConfig {
  return { name, sources: sources.map(parseSourceUrl) };
}

function isAtCache(host: string, port: number): boolean {
  return host === 'cache' && port === 4000;
}
