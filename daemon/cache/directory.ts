import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, type FileHandle, lstat, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CacheError, errnoOf } from '../errors.ts';
import { lockFile } from '../system/lock.ts';
import { wayOut } from '../system/way-out.ts';
import { readText, replaceFile } from './durable.ts';
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
  await makeDirectories(layout);
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

async function makeDirectories(layout: Layout): Promise<void> {
  const [root = '', ...below] = foldersOf(layout);
  try {
    // Looked at first: of a read-only file system Node's recursive mkdir says ENOENT.
    if (!(await isUsable(root))) await checkParent(root, false);
    await mkdir(root, { recursive: true, mode: 0o755 });
    await refuseSymlinks(layout);
    for (const folder of below) {
      if (!(await isUsable(folder))) await mkdir(folder, { recursive: true, mode: 0o755 });
    }
  } catch (cause) {
    throw unusable(root, cause);
  }
  await refuseCaseFolding(root);
}

async function takeLock({ lock, root }: Layout): Promise<FileHandle> {
  try {
    return await lockFile(lock, root);
  } catch (error) {
    if (error instanceof CacheError && error.code === 'in-use') throw error;
    throw unusable(root, error instanceof CacheError ? error.cause : error);
  }
}

/** Whom a check is for. */
export interface DirectoryCheck {
  /** Whether root makes what is missing, before it becomes the user that this process is. */
  readonly rootMakes: boolean;
}

/**
 * What `--check-config` asks of CACHE_DIR: that this user may write there, or make it, and that its
 * file system tells upper case from lower case. Makes and changes nothing.
 *
 * @throws CacheError `storage` that names path, user and the way out.
 */
export async function checkDirectory(root: string, { rootMakes }: DirectoryCheck): Promise<void> {
  try {
    const there = await Promise.all(foldersOf(createLayout(root)).map(isUsable));
    if (!there[0]) await checkParent(root, rootMakes);
    await refuseSymlinks(createLayout(root));
  } catch (cause) {
    throw unusable(root, cause);
  }
  await refuseCaseFolding(root);
}

function foldersOf({ root, partialFolder, metaFolder }: Layout): readonly string[] {
  return [root, join(root, OWN_FOLDER), partialFolder, metaFolder];
}

// CACHE_DIR may be one, and so may directories of packages: these are ours alone, and what is in them
// is removed without a question.
async function refuseSymlinks(layout: Layout): Promise<void> {
  const [, ...own] = foldersOf(layout);
  for (const path of [...own, layout.quarantineFolder, layout.lock]) {
    const found = await lstat(path).catch(() => undefined);
    if (found?.isSymbolicLink() === true) throw new Error(`"${path}" is a symlink; remove it`);
  }
}

/** False when it is missing. @throws the error of the system when it is there and no good. */
async function isUsable(folder: string): Promise<boolean> {
  try {
    // As a directory: a file, or a symlink that leads nowhere, is not missing.
    await access(`${folder}/.`, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' && !(await exists(folder))) return false;
    throw error;
  }
}

async function checkParent(path: string, rootMakes: boolean): Promise<void> {
  const parent = dirname(path);
  try {
    if (!(await isUsable(parent))) await checkParent(parent, rootMakes);
  } catch (error) {
    if (rootMakes && errnoOf(error) === 'EACCES') return;
    throw error;
  }
}

// Two distfiles may differ by case alone; on such a file system one would overwrite the other.
async function refuseCaseFolding(root: string): Promise<void> {
  const inodes = [OWN_FOLDER, OWN_FOLDER.toUpperCase()].map((name) =>
    lstat(join(root, name)).then(({ ino }) => ino),
  );
  const [own, other] = await Promise.allSettled(inodes);
  if (own?.status !== 'fulfilled' || other?.status !== 'fulfilled') return;
  if (own.value !== other.value) return;
  throw new CacheError('storage', {
    verb: 'use cache directory',
    thing: root,
    reason: 'its file system does not tell upper case from lower case; choose another',
  });
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function readId(path: string): Promise<string> {
  const kept = await readText(path).catch(() => '');
  if (/^package-cache-[0-9a-f]{16}\n$/.test(kept)) return kept.trim();
  const id = `package-cache-${randomBytes(8).toString('hex')}`;
  await replaceFile(path, `${id}\n`);
  return id;
}

function unusable(root: string, cause: unknown): CacheError {
  return new CacheError('storage', {
    verb: 'use cache directory',
    thing: root,
    reason: reasonOf(root, cause),
    cause,
  });
}

function reasonOf(root: string, cause: unknown): string {
  const place = 'choose another CACHE_DIR';
  switch (errnoOf(cause)) {
    case 'EROFS':
      return `${wayOut(root, cause, 'tree')} or ${place}`;
    case 'ENOTDIR':
    case 'EEXIST':
      return `it or a parent is a file, not a directory; ${place}`;
    case 'ENOSPC':
      return `its file system is full; free some room or ${place}`;
    default:
      return wayOut(root, cause, 'tree');
  }
}
