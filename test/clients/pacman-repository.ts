import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeTree } from '../helpers/files.ts';
import { bodyOf } from '../helpers/origin.ts';
import { type Guarded, guard } from './guard.ts';
import { must } from './mirror.ts';
import { type SigningKey, signingPrograms } from './signing.ts';

export const pacmanPrograms = [
  'pacman',
  'unshare',
  'repo-add',
  'bsdtar',
  'zstd',
  ...signingPrograms,
];

/** Where the repository lies below the mirror's root. */
const place = 'core/os/x86_64';

export interface ArchPackage {
  readonly name: string;
  readonly version: string;
  /** Signs it, and the database that names it. */
  readonly key?: SigningKey | undefined;
}

/** Builds a package, adds it to the repository's database, and answers its path. */
export async function addPackage(
  tree: string,
  { name, version, key }: ArchPackage,
): Promise<string> {
  const build = join(tree, '..', `${name}-${version}`);
  const info = {
    pkgname: name,
    pkgbase: name,
    pkgver: `${version}-1`,
    pkgdesc: 'a test',
    url: 'https://example.org/',
    builddate: '1735689600',
    packager: 'Nobody <nobody@example.org>',
    size: '300000',
    arch: 'any',
  };
  await writeTree(build, {
    '.PKGINFO': Object.entries(info)
      .map(([field, value]) => `${field} = ${value}\n`)
      .join(''),
    [`usr/share/${name}/data`]: bodyOf(name + version, 300_000),
  });
  const path = `${place}/${name}-${version}-1-any.pkg.tar.zst`;
  await mkdir(join(tree, place), { recursive: true });
  await must('bsdtar', ['--zstd', '-cf', join(tree, path), '.PKGINFO', 'usr'], { cwd: build });
  await key?.sign(join(tree, path), '.sig');
  const sign = key === undefined ? [] : ['--sign'];
  await must('repo-add', ['--quiet', ...sign, 'core.db.tar.gz', join(tree, path)], {
    cwd: join(tree, place),
    env: { ...key?.env },
  });
  return path;
}

/** A pacman with a root, a database and a cache of its own. */
export interface Pacman extends Guarded {
  /** Where packages lie, and unfinished ones with `.part` behind their names. */
  readonly packages: string;
}

export interface PacmanOptions {
  readonly mirrorlist: string;
  readonly key?: SigningKey;
}

/** Lays out a pacman that sees nothing of this machine's and changes nothing on it. */
export async function preparePacman(
  home: string,
  { mirrorlist, key }: PacmanOptions,
): Promise<Pacman> {
  const packages = join(home, 'packages');
  const settings = {
    RootDir: join(home, 'root'),
    DBPath: join(home, 'db'),
    CacheDir: packages,
    LogFile: join(home, 'pacman.log'),
    HookDir: join(home, 'hooks'),
    GPGDir: key?.home ?? join(home, 'gnupg'),
    Architecture: 'x86_64',
    ParallelDownloads: '5',
    SigLevel: key === undefined ? 'Optional' : 'Required DatabaseRequired',
  };
  const conf = join(home, 'pacman.conf');
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`);
  await writeTree(home, {
    mirrorlist,
    'pacman.conf': `[options]\n${lines.join('')}[core]\nInclude = ${join(home, 'mirrorlist')}\n`,
  });
  for (const made of ['root', 'db', 'packages', 'hooks']) await mkdir(join(home, made));
  const options = ['--config', conf, '--noconfirm', '--noprogressbar'];
  const environment = { cwd: home, env: { HOME: home, LC_ALL: 'C.UTF-8' } };
  return { packages, ...guard('pacman', { options, environment }) };
}
