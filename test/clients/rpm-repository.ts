import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { writeTree } from '../helpers/files.ts';
import { bodyOf } from '../helpers/origin.ts';
import { must } from './mirror.ts';
import { type SigningKey, signingPrograms } from './signing.ts';

export const rpmPrograms = ['createrepo_c', 'rpmbuild', 'rpmsign', ...signingPrograms];

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
