import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { writeTree } from '../helpers/files.ts';
import { bodyOf } from '../helpers/origin.ts';
import { type Finished, type LaunchOptions, run } from '../helpers/process.ts';
import { must } from './mirror.ts';
import { type SigningKey, signingPrograms } from './signing.ts';

export const dnfPrograms = ['dnf', 'createrepo_c', 'rpmbuild', 'rpmsign', ...signingPrograms];

/** The repositories of `fedora.repo`, at its sources' place, for release 42. */
const linux = 'pub/fedora/linux';
export const repositories = {
  fedora: `${linux}/releases/42/Everything/x86_64/os`,
  updates: `${linux}/updates/42/Everything/x86_64`,
};

export interface Rpm {
  readonly name: string;
  readonly version: string;
  readonly key: SigningKey;
}

/** Builds a signed package into a repository, and answers its path. */
export async function addPackage(
  tree: string,
  { repository, rpm }: { readonly repository: string; readonly rpm: Rpm },
): Promise<string> {
  const { name, version, key } = rpm;
  const top = join(tree, '..', `build-${name}-${version}`);
  const data = `/usr/share/${name}/data`;
  const spec = [
    `Name: ${name}`,
    `Version: ${version}`,
    'Release: 1',
    'Summary: a test',
    'License: none',
    'BuildArch: noarch',
    ...['%description', 'a test', '%install'],
    `install -D ${top}/data %{buildroot}${data}`,
    ...['%files', data, ''],
  ];
  await writeTree(top, { data: bodyOf(name + version, 300_000), 'a.spec': spec.join('\n') });
  const options = { cwd: top, env: { HOME: top, ...key.env } };
  const define = (macro: string) => ['--define', macro];
  await must('rpmbuild', ['-bb', ...define(`_topdir ${top}`), 'a.spec'], options);
  const file = `${name}-${version}-1.noarch.rpm`;
  const built = join(top, 'RPMS/noarch', file);
  await must(
    'rpmsign',
    [...define('_gpg_name Test'), ...define('__gpg /usr/bin/gpg'), '--addsign', built],
    options,
  );
  const path = `${repository}/Packages/${name[0]}/${file}`;
  await mkdir(join(tree, path, '..'), { recursive: true });
  await rename(built, join(tree, path));
  return path;
}

/** Writes the metadata of what is in a repository. */
export async function writeMetadata(tree: string, repository: string): Promise<void> {
  await mkdir(join(tree, repository), { recursive: true });
  await must('createrepo_c', ['--quiet', '--no-database', join(tree, repository)]);
}

/** A dnf with a root, a cache and a configuration of its own. */
export interface Dnf {
  /** Where everything lies that it downloads. */
  readonly cache: string;
  /** What stands before the command. */
  readonly options: readonly string[];
  readonly environment: Omit<LaunchOptions, 'args'>;
  run(...args: string[]): Promise<Finished>;
}

export interface DnfOptions {
  /** The text of a `.repo` file. */
  readonly repositories: string;
}

/** Lays out a dnf that sees nothing of this machine's and changes nothing on it. */
export async function prepareDnf(home: string, { repositories }: DnfOptions): Promise<Dnf> {
  const root = join(home, 'root');
  const settings = {
    installroot: root,
    reposdir: join(home, 'repos'),
    varsdir: join(home, 'vars'),
    // These are below the root of the installation.
    cachedir: '/cache',
    persistdir: '/persist',
    logdir: '/log',
    plugins: 'no',
    // A test asks twice within a second.
    metadata_expire: '0',
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
  await writeTree(home, {
    'dnf.conf': `[main]\n${lines.join('')}`,
    'repos/cache.repo': repositories,
  });
  await mkdir(root);
  const options = [
    `--config=${join(home, 'dnf.conf')}`,
    ...['--releasever=42', '--forcearch=x86_64', '--assumeyes', '--quiet'],
  ];
  const environment = { cwd: home, env: { HOME: home, TMPDIR: home, LC_ALL: 'C.UTF-8' } };
  return {
    cache: join(root, 'cache'),
    options,
    environment,
    run: (...args) => run('dnf', { args: [...options, ...args], ...environment }),
  };
}
