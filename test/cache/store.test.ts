import { execFileSync } from 'node:child_process';
import {
  chmod,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { lastUseOf } from '../../daemon/cache/entry.ts';
import { Partial } from '../../daemon/cache/partial.ts';
import { CacheError } from '../../daemon/errors.ts';
import { type Cache, makeCache, someTime } from '../helpers/cache.ts';
import { bodyOf } from '../helpers/origin.ts';

const minute = 60_000;

/** Makes a stored file look last used so many milliseconds ago. */
async function age(path: string, milliseconds: number): Promise<void> {
  await utimes(path, (Date.now() - milliseconds) / 1000, someTime);
}

async function serveOnce({ store }: Cache, key: string): Promise<void> {
  const entry = await store.find(key);
  if (entry === undefined) throw new Error(`No entry ${key}`);
  await store.touch(entry);
  entry.file.release();
}

async function times(path: string): Promise<string> {
  const { atimeNs, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return `${atimeNs} ${mtimeNs} ${ctimeNs}`;
}

test('a package lies at its own path, byte for byte, dated as its source said', async (t) => {
  const cache = await makeCache(t);
  const body = bodyOf('package', 100_001);
  const key = 'distfiles/3c/which-2.23 (1)+~é.tar.gz';
  const { path, size, mtime, inode } = await cache.put(key, body, 1_700_000_001);
  t.is(path, join(cache.root, key));
  t.true((await readFile(path)).equals(body));
  const found = await stat(path, { bigint: true });
  t.is(found.mtimeNs, 1_700_000_001n * 1_000_000_000n);
  t.deepEqual(
    [BigInt(size), BigInt(mtime), BigInt(inode)],
    [found.size, 1_700_000_001n, found.ino],
  );
  t.true(Math.abs(Date.now() - Number(found.atimeMs)) < minute);
});

test('what is stored is there for every reader: files 0644, directories 0755', async (t) => {
  const { put, root } = await makeCache(t);
  const { path } = await put('new/folders/package', 'bytes');
  t.is((await stat(path)).mode & 0o777, 0o644);
  for (const folder of ['new', 'new/folders']) {
    t.is((await stat(join(root, folder))).mode & 0o777, 0o755);
  }
});

test('nothing of a package is at its path before it is whole', async (t) => {
  const { layout, root } = await makeCache(t);
  const partial = await Partial.create(layout.partial('a/b'), 10);
  t.teardown(() => partial.release());
  partial.write(Buffer.from('bytes'));
  await partial.flushed();
  t.deepEqual(await readdir(root), ['.package-cache']);
});

test('an entry is what the file says: size, whole seconds of its mtime, inode', async (t) => {
  const { store, root } = await makeCache(t);
  await writeFile(join(root, 'by-hand'), 'put here by the admin');
  await utimes(join(root, 'by-hand'), 1_600_000_000.75, 1_600_000_000.75);
  const entry = await store.find('by-hand');
  t.like(entry, { key: 'by-hand', size: 21, mtime: 1_600_000_000 });
  t.is(entry?.inode, (await stat(join(root, 'by-hand'))).ino);
  entry?.file.release();
});

test('a new version replaces the old one at once, and those who read the old one keep it', async (t) => {
  const { put, store, bytesOf } = await makeCache(t);
  await put('InRelease', 'old');
  const old = await store.find('InRelease');
  await put('InRelease', 'new, and longer', someTime + 5);
  t.is(String(await old?.file.handle.readFile()), 'old');
  old?.file.release();
  t.is(String(await bytesOf('InRelease')), 'new, and longer');
});

test('what is no file is no entry: nothing, a directory, a name below a file', async (t) => {
  const { put, store } = await makeCache(t);
  await put('folder/file', 'bytes');
  for (const key of ['missing', 'folder', 'folder/missing', 'folder/file/below']) {
    t.is(await store.find(key), undefined, key);
  }
});

test('a symlink at the end of a path is never followed', async (t) => {
  const { store, root } = await makeCache(t);
  await symlink('/etc/passwd', join(root, 'outside'));
  await symlink('nowhere', join(root, 'dangling'));
  await mkdir(join(root, 'dir'));
  await symlink('/etc/passwd', join(root, 'dir/.package-cache-self'));
  for (const key of ['outside', 'dangling', 'dir']) t.is(await store.find(key), undefined, key);
});

test('a package takes the place of a symlink to a file, whose target is untouched', async (t) => {
  const { put, root, bytesOf } = await makeCache(t);
  await writeFile(join(root, 'precious'), 'precious');
  await symlink('precious', join(root, 'package'));
  await put('package', 'bytes');
  t.true((await lstat(join(root, 'package'))).isFile());
  t.is(String(await bytesOf('package')), 'bytes');
  t.is(await readFile(join(root, 'precious'), 'utf8'), 'precious');
});

test('a directory may lie elsewhere, by a symlink, which no document of its name replaces', async (t) => {
  const { put, root, bytesOf } = await makeCache(t);
  await mkdir(join(root, 'elsewhere'));
  await symlink('elsewhere', join(root, 'distfiles'));
  await put('distfiles/package', 'bytes');
  await put('distfiles', 'a listing');
  t.is(await readFile(join(root, 'elsewhere/package'), 'utf8'), 'bytes');
  t.is(String(await bytesOf('distfiles/package')), 'bytes');
  t.is(String(await bytesOf('distfiles')), 'a listing');
  t.true((await lstat(join(root, 'distfiles'))).isSymbolicLink());
});

test('a FIFO or a device in the cache is no entry and holds nobody up', async (t) => {
  const { store, root, put, bytesOf } = await makeCache(t);
  execFileSync('mkfifo', [join(root, 'fifo')]);
  t.is(await store.find('fifo'), undefined);
  await put('fifo', 'bytes');
  t.is(String(await bytesOf('fifo')), 'bytes');
});

test('a package that cannot be stored is told by its path and the reason', async (t) => {
  const { put, root, bytesOf } = await makeCache(t);
  await symlink('nowhere', join(root, 'broken'));
  const error = await t.throwsAsync(put('broken/package', 'bytes'), { instanceOf: CacheError });
  t.is(error.code, 'storage');
  t.true(error.message.startsWith(`Cannot store "${root}/broken/package": `), error.message);
  t.is(await bytesOf('broken/package'), undefined);
});

test('the last use is the earlier of atime and ctime', (t) => {
  const statOf = (atimeMs: number, ctimeMs: number) =>
    lastUseOf({ atimeMs, ctimeMs } as Parameters<typeof lastUseOf>[0]);
  t.is(statOf(5000, 9000), 5000);
  t.is(statOf(9000, 5000), 5000);
});

test('neither a chown nor a link looks like a use, and an atime in the future is none', async (t) => {
  const { put, store, root } = await makeCache(t);
  const { path } = await put('package', 'bytes');
  await age(path, 90 * minute);
  await chmod(path, 0o600);
  await link(path, join(root, 'other'));
  const aged = await store.find('package');
  t.true(Math.abs(Date.now() - 90 * minute - (aged?.lastUse ?? 0)) < minute);
  aged?.file.release();
  await age(path, -90 * minute);
  const fresh = await store.find('package');
  t.true(Math.abs(Date.now() - (fresh?.lastUse ?? 0)) < minute);
  fresh?.file.release();
});

test('a use is noted in atime and ctime, and leaves the date of the package alone', async (t) => {
  const cache = await makeCache(t);
  const { path, mtime } = await cache.put('package', 'bytes');
  await age(path, 61_000);
  await serveOnce(cache, 'package');
  const found = await stat(path, { bigint: true });
  t.true(Math.abs(Date.now() - lastUseOf(found)) < minute / 2);
  t.is(found.mtimeNs, BigInt(mtime) * 1_000_000_000n);
});

test('a use is noted at most once a minute', async (t) => {
  const cache = await makeCache(t);
  const { path } = await cache.put('package', 'bytes');
  await age(path, 50_000);
  const before = await times(path);
  await serveOnce(cache, 'package');
  t.is(await times(path), before);
});

test('a last use that lies in the future is set right by the next one', async (t) => {
  const { put, store } = await makeCache(t);
  const { path } = await put('package', 'bytes');
  await age(path, -90 * minute);
  const entry = await store.find('package');
  t.truthy(entry);
  // Only a clock that was wrong can set a ctime that is to come.
  if (entry !== undefined) await store.touch({ ...entry, lastUse: Date.now() + 90 * minute });
  entry?.file.release();
  t.true(Math.abs(Date.now() - (await stat(path)).atimeMs) < minute);
});

test('an entry keeps its bytes for as long as it is held, moved or removed', async (t) => {
  const { put, store, root } = await makeCache(t);
  await put('package', 'bytes');
  const entry = await store.find('package');
  await rename(join(root, 'package'), join(root, 'moved'));
  t.is(String(await entry?.file.handle.readFile()), 'bytes');
  t.is(await store.find('package'), undefined);
  entry?.file.release();
});
