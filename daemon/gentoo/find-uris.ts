import { readdir, readFile } from 'node:fs/promises';
import { errnoOf } from '../errors.ts';
import type { Manifests, PackagePlace } from './manifests.ts';
import { parseMasters, parseMirrors, parseSrcUri, readCacheEntry, type SrcUri } from './src-uri.ts';

/** More URLs than this are not worth a try: the first ones are the best. */
const MOST = 12;
/** Many a file is in the ebuilds of hundreds of packages, all with the same URL. */
const MOST_PACKAGES = 5;

/**
 * The URLs at which ebuilds say that a distfile is, the best first: those of SRC_URI in the caches
 * of metadata that the repositories came with (metadata/md5-cache). None where nobody may fetch it,
 * and none but http and https. What is missing is tolerated.
 *
 * @throws the error of the system for what is there and cannot be read.
 */
export async function findUris(
  name: string,
  manifests: Pick<Manifests, 'packagesOf' | 'repositories'>,
): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const place of manifests.packagesOf(name).slice(0, MOST_PACKAGES)) {
    const uris = (await srcUrisOf(place)).filter((each) => each.name === name);
    if (uris.length === 0) continue;
    const mirrors = await mirrorsOf(place.repository, manifests.repositories());
    for (const { uri } of uris) {
      for (const url of spread(uri, mirrors)) found.add(url);
    }
  }
  return [...found].slice(0, MOST);
}

/** All entries of all versions. */
async function srcUrisOf({ repository, category, name }: PackagePlace): Promise<readonly SrcUri[]> {
  const directory = `${repository}/metadata/md5-cache/${category}`;
  const versions = (await filesIn(directory)).filter((file) => isVersionOf(name, file));
  const entries = await Promise.all(versions.map((file) => readOrNothing(`${directory}/${file}`)));
  return entries.flatMap((text) => parseSrcUri(readCacheEntry(text)));
}

function isVersionOf(name: string, file: string): boolean {
  return file.startsWith(`${name}-`) && /^\d/.test(file.slice(name.length + 1));
}

type Mirrors = ReadonlyMap<string, readonly string[]>;

/** What `mirror://` means in a repository, by name: its own lists, and those of its masters. */
async function mirrorsOf(repository: string, all: readonly string[]): Promise<Mirrors> {
  const masters = parseMasters(await readOrNothing(`${repository}/metadata/layout.conf`));
  const named = await Promise.all(
    all.map(async (path) => ({ path, name: await readOrNothing(`${path}/profiles/repo_name`) })),
  );
  const above = named.filter(({ name }) => masters.includes(name.trim())).map(({ path }) => path);
  const mirrors = new Map<string, readonly string[]>();
  for (const path of new Set([repository, ...above])) {
    const own = parseMirrors(await readOrNothing(`${path}/profiles/thirdpartymirrors`));
    for (const [name, urls] of own) mirrors.set(name, [...(mirrors.get(name) ?? []), ...urls]);
  }
  return mirrors;
}

/** The URLs that an entry stands for, as they are asked for. */
function spread(uri: string, mirrors: Mirrors): readonly string[] {
  const [, name, path] = /^mirror:\/\/([^/]+)\/(.*)$/.exec(uri) ?? [];
  const urls =
    name === undefined
      ? [uri]
      : (mirrors.get(name) ?? []).map((mirror) => `${mirror.replace(/\/+$/, '')}/${path}`);
  return urls.flatMap((url) => canonical(url) ?? []);
}

/** Percent-encoded where it has to be; undefined for what is no URL that we fetch from. */
function canonical(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  // Nobody's password goes out that happens to stand in an ebuild.
  if (url.username !== '' || url.password !== '') return undefined;
  url.hash = '';
  return url.href;
}

async function filesIn(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch(tolerate([]));
}

async function readOrNothing(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(tolerate(''));
}

function tolerate<Value>(otherwise: Value): (error: unknown) => Value {
  return (error) => {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return otherwise;
    throw error;
  };
}
