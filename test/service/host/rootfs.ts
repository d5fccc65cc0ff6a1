import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Kind } from './kinds.ts';

/** Longer than any download of some 40 MB of packages should take. */
const BUILD_BOUND = 600_000;

/**
 * The root file system of a kind of host: made once from Debian packages, then kept. Nobody writes
 * to it, so any number of hosts may run on it at once.
 *
 * It lies in PACKAGE_CACHE_TEST_HOSTS, by default below the user's cache directory. It does not
 * follow Debian's updates: remove it to have it made anew.
 */
export async function rootfsOf(kind: Kind): Promise<string> {
  const rootfs = await placeOf(kind);
  if (await exists(rootfs)) return rootfs;
  const folder = dirname(rootfs);
  await mkdir(folder, { recursive: true });
  await removeUnfinished(folder);
  // Another run may make the same: the first one that is whole stays.
  const unfinished = `${rootfs}.${process.pid}`;
  try {
    await build(kind, unfinished);
    await rename(unfinished, rootfs).catch(async (error: unknown) => {
      if (!(await exists(rootfs))) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return rootfs;
}

/** Why the mirror cannot give what a root file system is made of; undefined when it can. */
export async function whyUnreachable(kind: Kind): Promise<string | undefined> {
  if (await exists(await placeOf(kind))) return undefined;
  const url = `${await debianMirror()}/dists/${kind.suite}/InRelease`;
  try {
    const { ok, status } = await fetch(url, { signal: AbortSignal.timeout(20_000) });
    return ok ? undefined : `${url} is ${status}`;
  } catch (error) {
    return `${url}: ${error}`;
  }
}

async function placeOf({ init, suite, packages, prepare }: Kind): Promise<string> {
  const folder = process.env.PACKAGE_CACHE_TEST_HOSTS ?? join(cacheHome(), 'package-cache-hosts');
  const recipe = createHash('sha256')
    .update(packages.join())
    .update(await readFile(prepare));
  return join(folder, `${init}-${suite}-${recipe.digest('hex').slice(0, 8)}`);
}

async function build({ suite, packages, prepare }: Kind, rootfs: string): Promise<void> {
  const args = [
    '--quiet',
    '--mode=root',
    '--variant=essential',
    `--include=${packages.join()}`,
    // The index of sid lasts a week, and a mirror may be a frozen copy; its signature is checked.
    '--aptopt=Acquire::Check-Valid-Until "false"',
    ...['man', 'locale', 'doc'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
    '--dpkgopt=force-unsafe-io',
    suite,
    rootfs,
    await debianMirror(),
  ];
  await must('mmdebstrap', args);
  await must(prepare, [rootfs]);
}

/** The mirror that the apt of this machine uses. */
async function debianMirror(): Promise<string> {
  const sites = await must('apt-get', ['indextargets', '--format', '$(SITE)']);
  const mirror = sites.split('\n').find((site) => /\/debian\/?$/.test(site));
  if (mirror === undefined) throw new Error('The apt of this machine knows no Debian mirror');
  return mirror;
}

/** @throws Error with what it said, when it fails */
async function must(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { timeout: BUILD_BOUND });
  return stdout;
}

/** What a run that was killed left behind. */
async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = /\.(\d+)$/.exec(name)?.[1];
    if (pid === undefined || (await exists(`/proc/${pid}`))) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

function cacheHome(): string {
  const { XDG_CACHE_HOME } = process.env;
  return XDG_CACHE_HOME || join(homedir(), '.cache');
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
