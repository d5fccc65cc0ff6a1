import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Places } from './bundle.ts';

/** koffi's module below build/: the one that looks for its binary among directories beside it. */
export const KOFFI = 'native/koffi/src/koffi/indirect.js';

const PLATFORM = '@koromix/koffi-linux-';
const exec = promisify(execFile);

/** The platforms to lay out for. */
export interface NativePlaces extends Places {
  /** Else for every Linux that koffi has a binary for, as one tarball serves them all. */
  readonly onlyThisMachine: boolean;
}

/** A package as package-lock.json pins it. */
interface Pinned {
  readonly name: string;
  readonly version: string;
  /** `sha512-` and the digest of its tarball in base64. */
  readonly integrity: string;
}

/**
 * Lays out koffi and its binaries below build/native, in the layout that koffi itself looks for.
 * npm installs the binary of this machine alone; the others come from the registry, or from npm's
 * cache, and must be what package-lock.json says.
 *
 * @throws Error that names the way out when they cannot be had
 */
export async function layNative({ root, build, onlyThisMachine }: NativePlaces): Promise<void> {
  const native = join(build, 'native');
  const modules = join(root, 'node_modules');
  for (const file of ['package.json', 'LICENSE.txt', 'src/koffi/indirect.js']) {
    await cp(join(modules, 'koffi', file), join(native, 'koffi', file));
  }
  const own = `${PLATFORM}${process.arch}`;
  const pinned = await pinnedPlatforms(root);
  if (pinned.some(({ name }) => name === own)) {
    await cp(join(modules, own), join(native, own), { recursive: true });
  }
  if (onlyThisMachine) return;
  const others = pinned.filter(({ name }) => name !== own);
  await fetchInto(native, others);
}

async function pinnedPlatforms(root: string): Promise<readonly Pinned[]> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  const packages = Object.entries<Omit<Pinned, 'name'>>(lock.packages);
  return packages.flatMap(([path, { version, integrity }]) => {
    const name = path.replace('node_modules/', '');
    return name.startsWith(PLATFORM) ? [{ name, version, integrity }] : [];
  });
}

async function fetchInto(native: string, packages: readonly Pinned[]): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'package-cache-build-'));
  try {
    for (const one of packages) {
      const tarball = join(directory, await fetchPackage(one, directory));
      const found = `sha512-${createHash('sha512')
        .update(await readFile(tarball))
        .digest('base64')}`;
      if (found !== one.integrity) {
        const reason = `its digest is ${found}, and package-lock.json wants ${one.integrity}`;
        throw new Error(`Cannot use "${one.name}@${one.version}": ${reason}`);
      }
      const place = join(native, one.name);
      await mkdir(place, { recursive: true });
      await exec('tar', ['-xzf', tarball, '-C', place, '--strip-components=1', '--no-same-owner']);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** The name of the tarball that it put into the directory. */
async function fetchPackage({ name, version }: Pinned, directory: string): Promise<string> {
  const spec = `${name}@${version}`;
  const args = ['pack', '--silent', '--prefer-offline', '--pack-destination', directory, spec];
  try {
    // From an empty directory: npm would look for the package in the checkout's workspace.
    const { stdout } = await exec('npm', args, { cwd: directory });
    return stdout.trim();
  } catch (cause) {
    const wayOut = 'npm run build -- --this-machine needs nothing from there';
    throw new Error(`Cannot fetch "${spec}": npm got nothing from the registry; ${wayOut}`, {
      cause,
    });
  }
}
