import type { Stats } from 'node:fs';
import { lstat, mkdir, readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CacheError, describe, errnoOf } from '../errors.ts';
import { removeEmptyFolders, removeFile } from './durable.ts';
import type { Layout } from './layout.ts';

/** So long, in ms, what was found to be wrong can be looked at. */
const KEPT = 7 * 86_400_000;

/** Which file it is: its number alone may be given to the next one. */
export interface FileIdentity {
  readonly inode: number;
  /** When it was made, as precisely as the disk has it, in ms; 0 where the disk does not say. */
  readonly born: number;
}

/** Which file a stat speaks of. */
export function identityOf({ ino, birthtimeMs }: Stats): FileIdentity {
  return { inode: ino, born: birthtimeMs };
}

/**
 * Moves the file of an entry to where it is served to nobody and counted nowhere, atomically. The
 * directories that it leaves empty go.
 *
 * @throws CacheError `storage` that says why it stays.
 */
export async function putAside(
  layout: Layout,
  { key, path }: { readonly key: string; readonly path: string },
): Promise<void> {
  const place = join(layout.quarantineFolder, key);
  try {
    await mkdir(dirname(place), { recursive: true, mode: 0o755 });
    await rename(path, place);
  } catch {
    // No room, or another file where a directory is needed: it must not be served whatever the case.
    await removeFile(path).catch((cause: unknown) => {
      const reason = describe(cause);
      throw new CacheError('storage', { verb: 'quarantine', thing: path, reason, cause });
    });
  }
  await removeEmptyFolders(dirname(path), layout.root);
}

/** Removes what has been in quarantine for a week; nothing where a symlink leads elsewhere. */
export async function expireQuarantine(layout: Layout, now: number): Promise<void> {
  const { quarantineFolder: root } = layout;
  if ((await lstat(root).catch(() => undefined))?.isDirectory() !== true) return;
  for (const found of await readdir(root, { recursive: true, withFileTypes: true }).catch(none)) {
    if (found.isDirectory()) continue;
    const path = join(found.parentPath, found.name);
    // The rename that brought it here was its last change.
    const { ctimeMs } = await lstat(path);
    if (now - ctimeMs < KEPT) continue;
    await removeFile(path);
    await removeEmptyFolders(found.parentPath, root);
  }
}

function none(error: unknown): [] {
  if (errnoOf(error) === 'ENOENT') return [];
  throw error;
}
