import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, type FileHandle, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { CacheError, describe, errnoOf } from '../errors.ts';
import { lockFile } from '../system/lock.ts';
import { removeFile, replaceFile } from './durable.ts';
import { createLayout, type Layout, OWN_FOLDER } from './layout.ts';

/** A CACHE_DIR that is ours alone until it is closed. */
export interface CacheDirectory {
  readonly layout: Layout;
  /** This cache's own id, sent in Via and CDN-Loop so that a loop is noticed. */
  readonly id: string;
  close(): Promise<void>;
}

/**
 * Makes, checks and locks a cache directory.
 *
 * @throws CacheError `in-use` when another daemon has it; `storage` with path, user and the way
 * out when it cannot serve as one.
 */
export async function openDirectory(root: string): Promise<CacheDirectory> {
  const layout = createLayout(root);
  await checkDirectory(root);
  const lock = await takeLock(layout);
  try {
    await rm(layout.movingFolder, { recursive: true, force: true });
    await mkdir(layout.movingFolder, { mode: 0o755 });
    return { layout, id: await readId(layout.id), close: () => lock.close() };
  } catch (cause) {
    await lock.close();
    throw unusable(root, cause);
  }
}

async function takeLock({ lock, root }: Layout): Promise<FileHandle> {
  try {
    return await lockFile(lock, root);
  } catch (error) {
    if (error instanceof CacheError && error.code === 'in-use') throw error;
    throw unusable(root, error instanceof CacheError ? error.cause : error);
  }
}

/**
 * What `--check-config` asks of CACHE_DIR: that it is a directory which this user may write and
 * whose file system tells upper case from lower case. Creates it when it is missing.
 *
 * @throws CacheError `storage` that names path, user and the way out.
 */
export async function checkDirectory(root: string): Promise<void> {
  const { partialFolder, metaFolder } = createLayout(root);
  try {
    for (const folder of [root, join(root, OWN_FOLDER), partialFolder, metaFolder]) {
      await mkdir(folder, { recursive: true, mode: 0o755 });
      await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    }
  } catch (cause) {
    throw unusable(root, cause);
  }
  await refuseCaseFolding(root);
}

// Two distfiles may differ by case alone; on such a file system one would overwrite the other.
async function refuseCaseFolding(root: string): Promise<void> {
  const probe = join(root, OWN_FOLDER, 'Case-Probe');
  let folds: boolean;
  try {
    await writeFile(probe, '');
    folds = await exists(join(root, OWN_FOLDER, 'case-probe'));
    await removeFile(probe);
  } catch (cause) {
    throw unusable(root, cause);
  }
  if (!folds) return;
  throw new CacheError('storage', {
    verb: 'use cache directory',
    thing: root,
    reason: 'its file system does not tell upper case from lower case; choose another',
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function readId(path: string): Promise<string> {
  const kept = await readFile(path, 'utf8').catch(() => '');
  if (/^package-cache-[0-9a-f]{16}\n$/.test(kept)) return kept.trim();
  const id = `package-cache-${randomBytes(8).toString('hex')}`;
  await replaceFile(path, `${id}\n`);
  return id;
}

function unusable(root: string, cause: unknown): CacheError {
  const reason = wayOut(root, cause);
  return new CacheError('storage', { verb: 'use cache directory', thing: root, reason, cause });
}

function wayOut(root: string, cause: unknown): string {
  switch (errnoOf(cause)) {
    case 'EACCES':
    case 'EPERM': {
      const { name, uid } = ownUser();
      return `user ${name} (uid ${uid}) may not write there; mend it with: chown -R ${name} '${root}'`;
    }
    case 'EROFS':
      return 'its file system is mounted read-only; remount it or choose another CACHE_DIR';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'it or a parent is a file, not a directory; choose another CACHE_DIR';
    case 'ENOSPC':
      return 'its file system is full; free some room or choose another CACHE_DIR';
    default:
      return describe(cause);
  }
}

// In a container the user may have a number and no name.
function ownUser(): { readonly name: string; readonly uid: number } {
  const uid = process.getuid?.() ?? -1;
  try {
    return { name: userInfo().username, uid };
  } catch {
    return { name: String(uid), uid };
  }
}
