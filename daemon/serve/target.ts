import { type ParsedPath, parsePath } from '../cache/key.ts';
import type { Policy } from '../cache/policy.ts';
import type { RepositoryConfig } from '../config/config.ts';
import type { SourceUrl } from '../config/source-url.ts';
import { CacheError } from '../errors.ts';
import { distfileIn, distfilePath } from '../gentoo/distfile.ts';
import { splitHost } from '../http/fields.ts';
import type { Route } from '../origin/route.ts';

/** What a request target is looked up in. */
export interface TargetContext {
  readonly repositories: readonly RepositoryConfig[];
  /** Which names may change: those are no distfiles. */
  readonly policy: Policy;
  /** Whether a host and port are this daemon's own. */
  readonly isOwn: (host: string, port: number) => boolean;
}

/** A request target as RFC 9112 section 3.2 splits it. */
interface Target {
  /** Only in the absolute form. */
  readonly authority?: Authority;
  readonly path: string;
  readonly query?: string;
}

interface Authority {
  readonly host: string;
  readonly port: number;
}

/**
 * Finds what a request asks for: by its path, or by the URL of a configured source, as a client
 * sends it that takes us for a proxy or that was led here by DNAT.
 *
 * @throws CacheError `bad-request` for a target that is none, `forbidden` for the URL of a host
 * that is not ours to forward to.
 */
export function findRoute(
  request: { readonly target: string; readonly host: string | undefined },
  context: TargetContext,
): Route {
  const target = parseTarget(request.target);
  const { authority } = target;
  if (authority !== undefined && !context.isOwn(authority.host, authority.port)) {
    return routeByUrl({ target, authority }, context);
  }
  const named = parseAuthority(request.host ?? '', 80);
  if (authority === undefined && named !== undefined && isForeign(named, context)) {
    return routeByUrl({ target, authority: named }, context);
  }
  return routeByPath(target, context);
}

function parseTarget(text: string): Target {
  if (text.includes('#')) throw badTarget(text, 'it has a fragment');
  if (text.startsWith('/')) return splitQuery(text);
  const [, scheme, rest] = /^([a-z][a-z\d+.-]*):\/\/(.*)$/i.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) {
    throw badTarget(text, 'it is neither a path nor a URL');
  }
  const end = rest.search(/[/?]/);
  const named = end < 0 ? rest : rest.slice(0, end);
  const authority = parseAuthority(named, scheme.toLowerCase() === 'https' ? 443 : 80);
  if (authority === undefined) throw badTarget(text, 'its host is malformed');
  const path = end < 0 ? '/' : rest.slice(end);
  return { authority, ...splitQuery(path.startsWith('?') ? `/${path}` : path) };
}

function splitQuery(text: string): Omit<Target, 'authority'> {
  const mark = text.indexOf('?');
  return mark < 0 ? { path: text } : { path: text.slice(0, mark), query: text.slice(mark + 1) };
}

function parseAuthority(text: string, defaultPort: number): Authority | undefined {
  const split = splitHost(text);
  return split && { host: canonical(split.host), port: split.port ?? defaultPort };
}

// IPv6 has many spellings, and sources and interfaces have the one of RFC 5952.
function canonical(host: string): string {
  if (!host.includes(':')) return host;
  return URL.parse(`http://[${host}]/`)?.hostname.slice(1, -1) ?? host;
}

// A Host that names no source is ignored: clients reach us by many names, and the path decides.
function isForeign({ host, port }: Authority, context: TargetContext): boolean {
  // To know our own addresses takes a system call: it is asked last.
  const isSource = context.repositories.some(({ sources }) =>
    sources.some((source) => isAt(source, { host, port })),
  );
  return isSource && !context.isOwn(host, port);
}

function allSources({ repositories }: TargetContext) {
  return repositories.flatMap((repository) =>
    repository.sources.map((source) => ({ repository, source })),
  );
}

function isAt(source: SourceUrl, { host, port }: Authority): boolean {
  return source.hostname === host && portClass(source.port) === portClass(port);
}

// The cache may speak TLS to a source that its clients name with http, and the other way round.
function portClass(port: number): number {
  return port === 443 ? 80 : port;
}

interface UrlTarget {
  readonly target: Target;
  readonly authority: Authority;
}

function routeByUrl({ target, authority }: UrlTarget, context: TargetContext): Route {
  const parsed = parsePath(target.path);
  const { components } = parsed;
  const found = allSources(context)
    .filter(({ source }) => isAt(source, authority))
    .map(({ repository, source }) => ({ repository, base: parsePath(source.basePath).components }))
    .filter(({ base }) => base.every((component, at) => components[at] === component))
    .toSorted((left, right) => right.base.length - left.base.length)[0];
  if (found !== undefined) {
    const { repository, base } = found;
    return makeRoute({ target, parsed, repository, skip: base.length }, context);
  }
  throw new CacheError('forbidden', {
    verb: 'forward to',
    thing: `${authority.host}:${authority.port}`,
    reason: 'it is not below a configured source (SOURCES), and this is no open proxy',
  });
}

function routeByPath(target: Target, context: TargetContext): Route {
  const parsed = parsePath(target.path);
  const [first] = parsed.components;
  const named = context.repositories.find(({ name }) => name !== '' && name === first);
  const repository = named ?? context.repositories[0];
  if (repository === undefined) throw badTarget(target.path, 'no repository is configured');
  return makeRoute({ target, parsed, repository, skip: named === undefined ? 0 : 1 }, context);
}

interface Place {
  readonly target: Target;
  readonly parsed: ParsedPath;
  readonly repository: RepositoryConfig;
  /** How many leading components are not part of the path below the repository's root. */
  readonly skip: number;
}

function makeRoute(place: Place, context: TargetContext): Route {
  const { target, parsed, repository, skip } = place;
  const path = parsed.components.slice(skip).join('/');
  const spelled = parsed.spelled.slice(skip).join('/');
  const directory = parsed.directory || path === '';
  const query = target.query === undefined ? '' : `?${target.query}`;
  const pass = directory || target.query !== undefined || isShadowed({ path, repository }, context);
  const distfile = pass || context.policy.classify(path).mutable ? undefined : distfileIn(path);
  if (distfile !== undefined) {
    return { repository, pass, ...placeOf({ repository, distfile, spelled }) };
  }
  return {
    repository,
    path,
    key: keyIn(repository, path),
    upstreamPath: `${spelled}${directory && spelled !== '' ? '/' : ''}${query}`,
    pass,
  };
}

interface Distfile {
  readonly repository: RepositoryConfig;
  readonly distfile: string;
  /** Below the repository's root, in whatever layout the client thinks of. */
  readonly spelled: string;
}

// Whoever asks for it, and in whatever layout: one entry serves all.
function placeOf({ repository, distfile, spelled }: Distfile) {
  const path = distfilePath(distfile);
  const folders = path.slice(0, path.length - distfile.length);
  const upstreamPath = folders + spelled.slice(spelled.lastIndexOf('/') + 1);
  return { distfile, path, key: keyIn(repository, path), upstreamPath };
}

function keyIn({ name }: RepositoryConfig, path: string): string {
  return name === '' ? path : `${name}/${path}`;
}

// A root source's own /debian/… must not be stored among the files of a repository "debian".
function isShadowed(
  { path, repository }: { readonly path: string; readonly repository: RepositoryConfig },
  context: TargetContext,
): boolean {
  if (repository.name !== '') return false;
  const first = path.split('/')[0];
  return context.repositories.some(({ name }) => name !== '' && name === first);
}

function badTarget(thing: string, reason: string): CacheError {
  return new CacheError('bad-request', {
    verb: 'parse target',
    thing: thing.slice(0, 200),
    reason,
  });
}
