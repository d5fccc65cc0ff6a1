import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { distfilePath } from '../../daemon/gentoo/distfile.ts';
import { type Daemon, startDaemon } from '../helpers/daemon.ts';
import { tempDir, writeTree } from '../helpers/files.ts';
import { bodyOf, type Origin, startOrigin } from '../helpers/origin.ts';
import { distLine, plantRepository } from '../helpers/repository.ts';

/** What the Manifests say that every distfile with a name in them is. */
export const body = bodyOf('right', 200_001);

/** The same with one bit changed: what a disk may make of it. */
export const rotten = Buffer.from(body);
rotten[100_000] = (rotten[100_000] ?? 0) ^ 1;

/** A daemon whose Manifests name some files, and what is stored at its start. */
export interface ContentScene {
  readonly daemon: Daemon;
  readonly origin: Origin;
  /** A repository that MANIFESTS names. */
  readonly repository: string;
  /** The bytes that are stored under a name. */
  stored(name: string): Promise<Buffer>;
}

/** What differs from one scene to the next. */
export interface ContentOptions {
  readonly named: readonly string[];
  /** By name. */
  readonly stored?: Readonly<Record<string, Buffer | string>>;
  readonly conf?: Readonly<Record<string, string>>;
  readonly user?: string;
}

/** Starts such a daemon, with a source that has everything. */
export async function openContent(
  t: ExecutionContext,
  { named, stored = {}, conf = {}, user }: ContentOptions,
): Promise<ContentScene> {
  const origin = await startOrigin(t, { files: { '*': { body } } });
  const directory = await tempDir(t);
  const repository = join(directory, 'gentoo');
  plantRepository(repository, { 'app-misc/some': named.map((name) => distLine(name, body)) });
  const cacheDir = join(directory, 'cache');
  const entries = Object.entries(stored).map(([name, bytes]) => [distfilePath(name), bytes]);
  await mkdir(cacheDir);
  await writeTree(cacheDir, Object.fromEntries(entries));
  if (user !== undefined) execFileSync('chown', ['-R', `${user}:`, directory]);
  const daemon = await startDaemon(t, {
    sources: [origin.url],
    cacheDir,
    conf: { MANIFESTS: repository, ...conf },
    ...(user === undefined ? {} : { user }),
  });
  return {
    daemon,
    origin,
    repository,
    stored: (name) => readFile(join(cacheDir, distfilePath(name))),
  };
}

/** Whether there is something at a path. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** BLAKE2B of some bytes, as far as an error tells it. */
export function shortHash(bytes: Buffer): string {
  return `${createHash('blake2b512').update(bytes).digest('hex').slice(0, 16)}…`;
}
