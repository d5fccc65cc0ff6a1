import { lstat, readdir } from 'node:fs/promises';
import { CacheError, errnoOf } from '../errors.ts';
import type { Manifests } from '../gentoo/manifests.ts';
import { wayToRead } from '../system/way-out.ts';

/** A file of a DISTDIR. */
export interface DistdirFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/** What is no whole distfile, unless a Manifest names it: downloads under way, locks, rejects. */
const unfinished =
  /\.(?:__download__|partial|part|aria2|lock|portage_lockfile)$|\._checksum_failure_\./;

/**
 * The distfiles in a directory, and not below it, by name.
 *
 * @throws CacheError `storage` with the way out when it cannot be read.
 */
export async function filesIn(
  directory: string,
  manifests: Pick<Manifests, 'digestsOf'>,
): Promise<readonly DistdirFile[]> {
  try {
    const found: DistdirFile[] = [];
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const { name } = entry;
      if (!entry.isFile() || name.startsWith('.')) continue;
      if (unfinished.test(name) && manifests.digestsOf(name).length === 0) continue;
      const size = await sizeOf(`${directory}/${name}`);
      if (size !== undefined) found.push({ name, size });
    }
    return found.sort((left, right) => (left.name < right.name ? -1 : 1));
  } catch (cause) {
    const reason = wayToRead(directory, cause);
    throw new CacheError('storage', { verb: 'import', thing: directory, reason, cause });
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).size;
  } catch (error) {
    // Gone by now, or a name that is not UTF-8, which no ebuild has.
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
