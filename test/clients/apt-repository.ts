import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { writeTree } from '../helpers/files.ts';
import { bodyOf } from '../helpers/origin.ts';
import { type Finished, type LaunchOptions, run } from '../helpers/process.ts';
import { must } from './mirror.ts';
import { type SigningKey, signingPrograms } from './signing.ts';

export const aptPrograms = ['apt-get', 'apt-ftparchive', 'dpkg-deb', ...signingPrograms];

/** What an apt with another `Dir` misses. */
const aptDirectories = [
  ...['var/lib/apt/lists/partial', 'var/cache/apt/archives/partial'],
  ...['etc/apt/apt.conf.d', 'etc/apt/sources.list.d', 'etc/apt/preferences.d'],
];

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
}

/** Builds a package with enough random bytes in it to be worth resuming, and answers its path. */
export async function addPackage(
  archive: string,
  { name, version }: DebianPackage,
): Promise<string> {
  const tree = join(archive, '..', `build-${name}-${version}`);
  const control = [
    `Package: ${name}`,
    `Version: ${version}`,
    'Architecture: all',
    'Maintainer: Nobody <nobody@example.org>',
    'Description: a test',
    '',
  ];
  await writeTree(tree, {
    'DEBIAN/control': control.join('\n'),
    [`usr/share/${name}/data`]: bodyOf(name + version, 300_000),
  });
  const path = `pool/main/${name}_${version}_all.deb`;
  await mkdir(join(archive, 'pool/main'), { recursive: true });
  await must('dpkg-deb', ['--root-owner-group', '--build', tree, join(archive, path)]);
  return path;
}

export interface Suite {
  readonly name: string;
  readonly key: SigningKey;
}

/** Writes Packages of all that is in the pool, its by-hash copies and a signed InRelease. */
export async function writeSuite(archive: string, { name, key }: Suite): Promise<void> {
  await mkdir(join(archive, 'pool'), { recursive: true });
  const ask = (...args: string[]) => must('apt-ftparchive', args, { cwd: archive });
  const packages = await ask('packages', 'pool');
  const suite = `dists/${name}`;
  await writeTree(join(archive, suite, 'main/binary-amd64'), {
    Packages: packages,
    'Packages.gz': gzipSync(packages),
  });
  const facts = { Codename: name, Components: 'main', Architectures: 'amd64' };
  const set = Object.entries(facts).map(([fact, is]) => `APT::FTPArchive::Release::${fact}=${is}`);
  const options = ['APT::FTPArchive::DoByHash=yes', ...set].flatMap((option) => ['-o', option]);
  const release = join(archive, '..', 'Release');
  await writeFile(release, await ask(...options, 'release', suite));
  await key.clearSign(release, join(archive, suite, 'InRelease'));
}

/** An apt with a state, a cache and a configuration of its own. */
export interface Apt {
  /** Where whole packages lie, and unfinished ones below `partial/`. */
  readonly archives: string;
  /** Where the indexes lie. */
  readonly lists: string;
  readonly environment: Omit<LaunchOptions, 'args'>;
  run(...args: string[]): Promise<Finished>;
}

export interface AptOptions {
  /** The text of a `.sources` file. */
  readonly sources: string;
  /** The text of a file of `apt.conf.d`. */
  readonly conf?: string;
}

/** Lays out the directories of an apt that sees nothing of this machine's. */
export async function prepareApt(home: string, { sources, conf = '' }: AptOptions): Promise<Apt> {
  const settings: Record<string, string> = {
    Dir: home,
    'Dir::State::status': join(home, 'status'),
    'APT::Architecture': 'amd64',
    'APT::Architectures': 'amd64',
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} "${value}";\n`);
  await writeTree(home, {
    'apt.conf': lines.join(''),
    'etc/apt/apt.conf.d/01cache': conf,
    'etc/apt/sources.list.d/debian.sources': sources,
    status: '',
  });
  for (const made of aptDirectories) {
    await mkdir(join(home, made), { recursive: true });
  }
  const env = { APT_CONFIG: join(home, 'apt.conf'), LC_ALL: 'C', HOME: home };
  const environment = { cwd: home, env };
  return {
    archives: join(home, 'var/cache/apt/archives'),
    lists: join(home, 'var/lib/apt/lists'),
    environment,
    run: (...args) => run('apt-get', { args: ['-q', ...args], ...environment }),
  };
}
