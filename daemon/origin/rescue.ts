import { parseSourceUrl, type SourceUrl } from '../config/source-url.ts';
import { describe } from '../errors.ts';
import type { Log } from '../system/log.ts';
import type { Route } from './route.ts';

/** Another way to a file that no source has; undefined where there is none. */
export type Rescue = (route: Route) => Promise<Route | undefined>;

/** What a rescue works with. */
export interface RescueContext {
  /** SRC_URI_RESCUE, as it is now. */
  readonly isWanted: () => boolean;
  /** The URLs that ebuilds have for a distfile. */
  readonly urisOf: (distfile: string) => Promise<readonly string[]>;
  readonly log: Log;
}

/**
 * Leads to where ebuilds say that a distfile comes from (SRC_URI), once every source has said that
 * it does not have it. What is there changes without notice: only a file whose digest is known may
 * come from it.
 */
export function createRescue({ isWanted, urisOf, log }: RescueContext): Rescue {
  return async (route) => {
    const { distfile, repository } = route;
    if (distfile === undefined || !isWanted()) return undefined;
    const uris = await urisOf(distfile).catch((error: unknown) => {
      log.warn(`Cannot look SRC_URI of "${distfile}" up: ${describe(error)}`);
      return [];
    });
    const sources = uris.flatMap((uri) => sourceOf(uri) ?? []);
    if (sources.length === 0) return undefined;
    log.info(`no source has "${route.key}": asking ${uris.join(' ')}`);
    const { distfile: _, ...rest } = route;
    return { ...rest, repository: { name: repository.name, sources }, upstreamPath: '' };
  };
}

// The health of one is that of its host, so that the memory of it has bounds; its path is whole.
function sourceOf(uri: string): SourceUrl | undefined {
  const { origin, pathname, search } = URL.parse(uri) ?? {};
  if (origin === undefined || !/^https?:/.test(origin)) return undefined;
  return { ...parseSourceUrl(`${origin}/`), basePath: `${pathname}${search}` };
}
