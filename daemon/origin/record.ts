import type { PartialRecord } from '../cache/partial-book.ts';
import type { RepositoryConfig } from '../config/config.ts';
import type { SourceUrl } from '../config/source-url.ts';
import { distfileIn } from '../gentoo/distfile.ts';
import type { Known } from './continuation.ts';
import type { OriginHead } from './judge.ts';
import type { FillHead } from './order.ts';
import type { Route } from './route.ts';

/** What a fill knows of the file it fetches. */
export interface Identity {
  readonly route: Route;
  readonly head: OriginHead;
  readonly source: SourceUrl;
  readonly mtime: number;
}

/** The record of a partial, or none where a rest could not be proven to be its rest. */
export function recordOf({ route, head, source, mtime }: Identity): PartialRecord | undefined {
  if (head.length === undefined) return undefined;
  return {
    key: route.key,
    repository: route.repository.name,
    path: route.path,
    upstreamPath: route.upstreamPath,
    source: source.url,
    mtime,
    length: head.length,
    synced: 0,
    ...(head.etag === undefined ? {} : { etag: head.etag }),
    ...(head.lastModified === undefined ? {} : { lastModified: head.lastModified }),
    ...(head.type === undefined ? {} : { type: head.type }),
  };
}

/** What the clients of a resumed fill are told. */
export function headOf(record: PartialRecord): FillHead {
  const { length, mtime, type } = record;
  return { length, mtime, type, stored: true };
}

/** What a source has to match, to go on with a partial. */
export function knownOf(record: PartialRecord): Known {
  const { source, length, etag, lastModified } = record;
  return {
    source,
    length,
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
  };
}

/** The way to a partial's rest, as long as its repository is still configured. */
export function routeOf(
  record: PartialRecord,
  repositories: readonly RepositoryConfig[],
): Route | undefined {
  const repository = repositories.find(({ name }) => name === record.repository);
  if (repository === undefined) return undefined;
  const { key, path, upstreamPath } = record;
  const distfile = distfileIn(path);
  return {
    repository,
    key,
    path,
    upstreamPath,
    pass: false,
    ...(distfile === undefined ? {} : { distfile }),
  };
}
