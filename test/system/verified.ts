import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { distfilePath } from '../../daemon/gentoo/distfile.ts';
import { type Daemon, startDaemon, tempDir } from '../helpers/daemon.ts';
import { bodyOf, type Origin, type Script, startOrigin } from '../helpers/origin.ts';
import { distLine, plantRepository } from '../helpers/repository.ts';

/** The distfile of these tests, and where mirrors keep it. */
export const name = 'big-1.0.tar.xz';
/** Its path, on mirrors and at the cache. */
export const path = `/${distfilePath(name)}`;
/** No reader gets these bytes before the whole is proven. */
export const withheld = 64 * 1024;
/** Bytes of the file that the Manifest means. */
export const size = 500_000;
/** The file that the Manifest means. */
export const right = bodyOf('right', size);

/** The right file, with another byte at an offset. */
export function spoilt(offset: number): Buffer {
  const copy = Buffer.from(right);
  copy[offset] = (copy[offset] ?? 0) ^ 1;
  return copy;
}

/** Mirrors, and a daemon that knows from a Manifest what they should have. */
export interface Scene {
  readonly origins: readonly Origin[];
  readonly daemon: Daemon;
  /** The ebuild repository. */
  readonly repository: string;
}

/** What a scene is made of. */
export interface SceneOptions {
  /** What each mirror has, in the order in which they are asked. */
  readonly copies: readonly Script[];
  /** DIST lines: that of the right file when nothing is said. */
  readonly lines?: readonly string[];
  readonly conf?: Readonly<Record<string, string>>;
}

/** Starts it all, and waits until the Manifests are read. */
export async function openScene(t: ExecutionContext, options: SceneOptions): Promise<Scene> {
  const { copies, lines = [distLine(name, right)], conf = {} } = options;
  const origins = await Promise.all(
    copies.map((copy) => startOrigin(t, { files: { [path]: copy } })),
  );
  const repository = join(await tempDir(t), 'gentoo');
  plantRepository(repository, { 'app-misc/big': lines });
  const daemon = await startDaemon(t, {
    sources: origins.map(({ url }) => url),
    conf: { MANIFESTS: repository, ...conf },
  });
  await daemon.logged(/Manifests: /);
  return { origins, daemon, repository };
}
