import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { tempDir } from '../helpers/files.ts';
import { type Finished, root, run } from '../helpers/process.ts';

/** What npm needs of the checkout to build and to pack it. */
const sources = /^(?:daemon|ctl|contrib|etc|package\.json|package-lock\.json|[A-Z].*)$/;

/** A copy of the checkout that a test may build in. */
export async function copyCheckout(t: ExecutionContext): Promise<string> {
  const copy = await tempDir(t);
  for (const name of await readdir(root)) {
    if (sources.test(name)) await cp(join(root, name), join(copy, name), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Runs npm without a network and without what it has in its cache. */
export async function npm(
  directory: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const cache = join(directory, '.npm');
  return run('npm', {
    args,
    cwd: directory,
    env: { npm_config_cache: cache, npm_config_offline: 'true', npm_config_audit: 'false', ...env },
  });
}

/** Builds a checkout for this machine and packs it, and returns the tarball's path. */
export async function pack(checkout: string): Promise<string> {
  succeeded(await npm(checkout, ['run', 'build', '--', '--this-machine']));
  // The build is there: the one that npm would start fetches what other machines need.
  const packed = succeeded(await npm(checkout, ['pack', '--silent', '--ignore-scripts']));
  return join(checkout, packed.trim());
}

/** Unpacks a tarball somewhere else, and returns the directory of the package. */
export async function unpack(t: ExecutionContext, tarball: string): Promise<string> {
  const directory = await tempDir(t);
  succeeded(await run('tar', { args: ['-xzf', tarball, '-C', directory] }));
  return join(directory, 'package');
}

/** A PATH on which there is Node and nothing else. */
export async function nodeAlone(t: ExecutionContext): Promise<string> {
  const directory = join(await tempDir(t), 'bin');
  await mkdir(directory);
  await symlink(process.execPath, join(directory, 'node'));
  return directory;
}

/** What a program that must not fail printed. */
export function succeeded({ code, stdout, stderr }: Finished): string {
  if (code !== 0) throw new Error(`It ended with ${code}: ${stderr}${stdout}`);
  return stdout;
}
