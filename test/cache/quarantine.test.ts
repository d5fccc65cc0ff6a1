import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { createHotStore } from '../../daemon/cache/hot.ts';
import {
  expireQuarantine,
  type FileIdentity,
  identityOf,
  putAside,
} from '../../daemon/cache/quarantine.ts';
import { CacheError } from '../../daemon/errors.ts';
import { makeCache } from '../helpers/cache.ts';
import { filesBelow } from '../helpers/entries.ts';

const key = 'distfiles/ab/package.tar.xz';
const day = 86_400_000;

async function fileAt(path: string): Promise<FileIdentity> {
  return identityOf(await lstat(path));
}

test('a wrong entry is served no more and lies in quarantine, and its directory goes', async (t) => {
  const { root, layout, store, put, bytesOf } = await makeCache(t);
  const { path } = await put(key, 'wrong');
  const removed = await store.quarantine(key, await fileAt(path));
  t.like(removed, { key, size: 5 });
  t.is(await bytesOf(key), undefined);
  t.is(await readFile(join(layout.quarantineFolder, key), 'utf8'), 'wrong');
  t.deepEqual(await filesBelow(root), []);
  t.deepEqual(await readdir(root), ['.package-cache']);
});

test('whoever reads a wrong entry goes on', async (t) => {
  const { store, put } = await makeCache(t);
  const { path } = await put(key, 'wrong');
  const entry = await store.find(key);
  await store.quarantine(key, await fileAt(path));
  t.is(String(await entry?.file.handle.readFile()), 'wrong');
  entry?.file.release();
});

test('another file that has taken its place stays, be its number the same', async (t) => {
  const { store, put, bytesOf } = await makeCache(t);
  const { path } = await put(key, 'wrong');
  const former = await fileAt(path);
  await put(key, 'right');
  t.is(await store.quarantine(key, former), undefined);
  const { inode, born } = await fileAt(path);
  t.is(await store.quarantine(key, { inode, born: born - 1 }), undefined);
  t.is(String(await bytesOf(key)), 'right');
  await rm(path);
  t.is(await store.quarantine(key, { inode, born }), undefined);
});

test('what is at hand of a wrong entry is forgotten', async (t) => {
  const { store, put } = await makeCache(t);
  const hot = createHotStore(store, { files: 10, bytes: 1000 });
  t.teardown(hot.cool);
  const { path } = await put(key, 'wrong');
  (await hot.find(key))?.file.release();
  t.is(hot.held.files, 1);
  await hot.quarantine(key, await fileAt(path));
  t.is(hot.held.files, 0);
  t.is(await hot.find(key), undefined);
});

test('the document of a directory is taken out, and what is in the directory stays', async (t) => {
  const { layout, store, put, bytesOf } = await makeCache(t);
  await put('distfiles/a', 'wrong');
  await put('distfiles/a/b', 'right');
  const removed = await store.quarantine('distfiles/a', await fileAt(layout.self('distfiles/a')));
  t.is(removed?.size, 5);
  t.is(await bytesOf('distfiles/a'), undefined);
  t.is(String(await bytesOf('distfiles/a/b')), 'right');
});

test('what finds no place in quarantine is removed', async (t) => {
  const { layout, store, put, bytesOf } = await makeCache(t);
  const { path } = await put(key, 'wrong');
  await mkdir(layout.quarantineFolder);
  await writeFile(join(layout.quarantineFolder, 'distfiles'), 'in the way');
  t.like(await store.quarantine(key, await fileAt(path)), { size: 5 });
  t.is(await bytesOf(key), undefined);
});

test('what can be neither moved nor removed is told', async (t) => {
  const { layout } = await makeCache(t);
  // Nobody removes a file of the kernel's.
  const path = '/proc/self/status';
  const error = await t.throwsAsync(putAside(layout, { key, path }), { instanceOf: CacheError });
  t.is(error?.code, 'storage');
  t.regex(error?.message ?? '', /^Cannot quarantine "\/proc\/self\/status": E/);
});

test('quarantine lasts seven days, and its directories go with the last file', async (t) => {
  const { layout, store, put } = await makeCache(t);
  for (const each of [key, 'distfiles/cd/other.tar.xz']) {
    const { path } = await put(each, 'wrong');
    await store.quarantine(each, await fileAt(path));
  }
  const { ctimeMs } = await lstat(join(layout.quarantineFolder, key));
  await expireQuarantine(layout, ctimeMs + 7 * day - 1000);
  t.is((await filesBelow(layout.quarantineFolder)).length, 2);
  await expireQuarantine(layout, ctimeMs + 7 * day + 60_000);
  t.deepEqual(await readdir(layout.quarantineFolder), []);
});

test('without a quarantine there is nothing to expire', async (t) => {
  const { layout } = await makeCache(t);
  await t.notThrowsAsync(expireQuarantine(layout, Date.now()));
});
