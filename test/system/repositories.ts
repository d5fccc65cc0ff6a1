import type { ExecutionContext } from 'ava';
import type { Answer, RequestOptions } from '../helpers/client.ts';
import { type Daemon, startDaemon } from '../helpers/daemon.ts';
import { type Origin, startOrigin } from '../helpers/origin.ts';

/** A source to be started here, or the URL of one that is there, or is not. */
export type SourceSpec = 'origin' | 'silent' | `http${string}`;

/** One repository of a daemon: sources, and with them health, that no other test touches. */
export interface Repository {
  readonly name: string;
  /** Those of its sources that were started here, in their order. */
  readonly origins: readonly [Origin, Origin, ...Origin[]];
  get(path: string, options?: Omit<RequestOptions, 'port' | 'target'>): Promise<Answer>;
}

/**
 * Asks until the answer is none from a copy that counts as just fetched: one that is still being
 * stored is a hit, however short MUTABLE_TTL is.
 */
export async function getChecked(
  { get }: Pick<Repository, 'get'>,
  ...asked: Parameters<Repository['get']>
): Promise<Answer> {
  for (;;) {
    const answer = await get(...asked);
    if (answer.header('cache-status') !== 'package-cache; hit') return answer;
  }
}

/** A repository whose `get` waits for a copy that is old by now. */
export function checked(repository: Repository): Repository {
  return { ...repository, get: (...asked) => getChecked(repository, ...asked) };
}

/** A daemon with a repository for each test. */
export interface Repositories<Name extends string> {
  readonly daemon: Daemon;
  readonly of: Readonly<Record<Name, Repository>>;
}

/** Starts the sources of every repository and a daemon in front of them all. */
export async function openRepositories<Name extends string>(
  t: ExecutionContext,
  layout: Readonly<Record<Name, readonly SourceSpec[]>>,
  conf: Readonly<Record<string, string>> = {},
): Promise<Repositories<Name>> {
  const started = await Promise.all(
    Object.entries<readonly SourceSpec[]>(layout).map(([name, specs]) => start(t, name, specs)),
  );
  const sources = started.map(({ name, urls }) => [`SOURCES_${name}`, urls.join(' ')]);
  const daemon = await startDaemon(t, {
    sources: ['http://127.0.0.1:9/'],
    conf: { MAX_FILLS: '1000', ...Object.fromEntries(sources), ...conf },
  });
  const repositories = started.map(({ name, origins }) => [
    name,
    {
      name,
      origins,
      get: (path: string, options?: Omit<RequestOptions, 'port' | 'target'>) =>
        daemon.get(`/${name}/${path}`, options),
    },
  ]);
  return { daemon, of: Object.fromEntries(repositories) };
}

async function start(t: ExecutionContext, name: string, specs: readonly SourceSpec[]) {
  const sources = await Promise.all(
    specs.map(async (spec) => {
      if (spec !== 'origin' && spec !== 'silent') return { url: spec };
      const origin = await startOrigin(t, { silent: spec === 'silent' });
      return { url: origin.url, origin };
    }),
  );
  return {
    name,
    urls: sources.map(({ url }) => url),
    origins: sources.flatMap(({ origin }) => origin ?? []),
  };
}
