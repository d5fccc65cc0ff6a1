import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeTree } from '../helpers/files.ts';
import { type Guarded, guard } from './guard.ts';

/** A dnf with a root, a cache and a configuration of its own. */
export interface Dnf extends Guarded {
  /** Where everything lies that it downloads. */
  readonly cache: string;
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
  return { cache: join(root, 'cache'), ...guard('dnf', { options, environment }) };
}
