import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a package.json tells. */
interface Package {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/**
 * The licences of these packages and of all below them: some packages hold others in a bundle of
 * their own, which shows nowhere else.
 *
 * @param root the checkout
 * @throws Error for a package that does not say its licence
 */
export async function thirdParties(root: string, names: readonly string[]): Promise<string> {
  const modules = join(root, 'node_modules');
  const packages = await withDependencies(modules, names);
  const parts = packages
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(async (one) => {
      return `${one.name} ${one.version} (${one.license})\n\n${await licenceText(modules, one)}\n`;
    });
  const rule = `${'-'.repeat(80)}\n`;
  const head =
    'package-cache is distributed with these packages, under the licences they name.\n\n';
  return head + (await Promise.all(parts)).map((part) => rule + part).join('\n');
}

async function withDependencies(modules: string, names: readonly string[]): Promise<Package[]> {
  const found = new Map<string, Package>();
  // A set grows while it is walked.
  const left = new Set(names);
  for (const name of left) {
    const one = JSON.parse(await readFile(join(modules, name, 'package.json'), 'utf8')) as Package;
    found.set(name, one);
    for (const dependency of Object.keys(one.dependencies ?? {})) left.add(dependency);
  }
  return [...found.values()];
}

async function licenceText(modules: string, { name, license }: Package): Promise<string> {
  const directory = join(modules, name);
  const file = (await readdir(directory)).find((entry) => /^(licen[cs]e|copying)\b/i.test(entry));
  if (typeof license !== 'string' || file === undefined) {
    throw new Error(`Cannot tell the licence of "${name}": it has no licence file, or no name`);
  }
  return (await readFile(join(directory, file), 'utf8')).replaceAll('\r\n', '\n').trim();
}
