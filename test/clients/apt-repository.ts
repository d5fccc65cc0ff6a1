import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { writeTree } from '../helpers/files.ts';
import { bodyOf, type Origin } from '../helpers/origin.ts';
import { type Finished, run } from '../helpers/process.ts';

export const aptPrograms = ['apt-get', 'apt-ftparchive', 'dpkg-deb'];

/** Debian archive and architecture of the tests. */
const index = 'dists/stable/main/binary-amd64';

/** What an apt with another `Dir` misses. */
const aptDirectories = [
  ...['var/lib/apt/lists/partial', 'var/cache/apt/archives/partial'],
  ...['etc/apt/apt.conf.d', 'etc/apt/sources.list.d', 'etc/apt/preferences.d'],
];

/** Builds a package with enough random bytes in it to be worth resuming. */
export async function addPackage(
  archive: string,
  { name, version }: { readonly name: string; readonly version: string },
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
  await must('dpkg-deb', ['--root-owner-group', '--build', tree, join(archive, path)], archive);
  return path;
}

/** Writes Packages, its by-hash copies and Release. */
export async function writeIndexes(archive: string): Promise<void> {
  const packages = await must('apt-ftparchive', ['packages', 'pool'], archive);
  const packed = gzipSync(packages);
  const hash = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');
  await writeTree(join(archive, index), {
    Packages: packages,
    'Packages.gz': packed,
    [`by-hash/SHA256/${hash(packages)}`]: packages,
    [`by-hash/SHA256/${hash(packed)}`]: packed,
  });
  const facts = { Suite: 'stable', Codename: 'stable', Components: 'main', Architectures: 'amd64' };
  const options = Object.entries({ ...facts, 'Acquire-By-Hash': 'yes' }).flatMap(([key, value]) => [
    '-o',
    `APT::FTPArchive::Release::${key}=${value}`,
  ]);
  const release = await must('apt-ftparchive', [...options, 'release', 'dists/stable'], archive);
  await writeFile(join(archive, 'dists/stable/Release'), release);
}

/** Serves a directory as a mirror does, each file with its own time. */
export async function serveArchive(origin: Origin, archive: string): Promise<void> {
  for (const entry of await readdir(archive, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const { mtime } = await stat(file);
    const path = file.slice(archive.length);
    origin.serve(path, { body: await readFile(file), lastModified: mtime });
  }
}

/** An apt with a state, a cache and a configuration of its own. */
export interface Apt {
  /** Where whole packages lie, and unfinished ones below `partial/`. */
  readonly archives: string;
  run(...args: string[]): Promise<Finished>;
}

/** Lays out the directories of an apt that sees nothing of this machine's. */
export async function prepareApt(
  directory: string,
  { archiveUrl, options = {} }: { archiveUrl: string; options?: Record<string, string> },
): Promise<Apt> {
  const home = join(directory, 'apt');
  const settings: Record<string, string> = {
    Dir: home,
    'Dir::Etc::sourcelist': join(home, 'sources.list'),
    'Dir::State::status': join(home, 'status'),
    'APT::Architecture': 'amd64',
    'APT::Architectures': 'amd64',
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    ...options,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} "${value}";\n`);
  await writeTree(home, {
    'apt.conf': lines.join(''),
    'sources.list': `deb [trusted=yes] ${archiveUrl} stable main\n`,
    status: '',
  });
  for (const made of aptDirectories) {
    await mkdir(join(home, made), { recursive: true });
  }
  return {
    archives: join(home, 'var/cache/apt/archives'),
    run: (...args) =>
      run('apt-get', {
        args: ['-q', ...args],
        cwd: home,
        env: { APT_CONFIG: join(home, 'apt.conf'), LC_ALL: 'C', HOME: home },
      }),
  };
}

async function must(program: string, args: string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await run(program, { args, cwd });
  if (code !== 0) throw new Error(`${program} exited with ${code}: ${stderr}`);
  return stdout;
}
