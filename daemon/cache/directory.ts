import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
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
  const lock = await lockFile(layout.lock, root);
  try {
    await mkdir(layout.partialFolder, { recursive: true });
    await mkdir(layout.metaFolder, { recursive: true });
    return { layout, id: await readId(layout.id), close: () => lock.close() };
  } catch (cause) {
    await lock.close();
    throw unusable(root, describe(cause), cause);
  }
}

/**
 * What `--check-config` asks of CACHE_DIR: that it is a directory which this user may write and
 * whose file system tells upper case from lower case. Creates it when it is missing.
 *
 * @throws CacheError `storage` that names path, user and the way out.
 */
export async function checkDirectory(root: string): Promise<void> {
  try {
    await mkdir(join(root, OWN_FOLDER), { recursive: true, mode: 0o755 });
    await access(root, constants.R_OK | constants.W_OK | constants.X_OK);
    await access(join(root, OWN_FOLDER), constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw unusable(root, wayOut(root, cause), cause);
  }
  await refuseCaseFolding(root);
}

function wayOut(root: string, cause: unknown): string {
  const user = userInfo();
  switch (errnoOf(cause)) {
    case 'EACCES':
    case 'EPERM':
      return `user ${user.username} (uid ${user.uid}) may not write there; mend it with: chown -R ${user.username} '${root}'`;
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

// Two distfiles may differ by case alone; on such a file system one would overwrite the other.
async function refuseCaseFolding(root: string): Promise<void> {
  const probe = join(root, OWN_FOLDER, 'Case-Probe');
  let folds: boolean;
  try {
    await writeFile(probe, '');
    folds = await exists(join(root, OWN_FOLDER, 'case-probe'));
    await removeFile(probe);
  } catch (cause) {
    throw unusable(root, wayOut(root, cause), cause);
  }
  if (folds) {
    throw unusable(
      root,
      'its file system does not tell upper case from lower case; choose another',
    );
  }
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

function unusable(root: string, reason: string, cause?: unknown): CacheError {
  return new CacheError('storage', { verb: 'use cache directory', thing: root, reason, cause });
}
