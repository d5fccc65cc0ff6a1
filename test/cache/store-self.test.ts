import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { makeCache } from '../helpers/cache.ts';

test('a document that becomes a directory is moved into it, and is found there', async (t) => {
  const { put, bytesOf, root } = await makeCache(t);
  await put('dists', 'listing');
  await put('dists/stable/Release', 'release');
  t.is(String(await bytesOf('dists')), 'listing');
  t.is(String(await bytesOf('dists/stable/Release')), 'release');
  t.is(await readFile(join(root, 'dists/.package-cache-self'), 'utf8'), 'listing');
});

test('a document whose name is a directory already is stored inside it', async (t) => {
  const { put, bytesOf, root } = await makeCache(t);
  await put('dists/stable/Release', 'release');
  await put('dists/stable', 'inner');
  await put('dists', 'listing');
  await put('dists', 'listing, changed');
  t.is(String(await bytesOf('dists')), 'listing, changed');
  t.is(String(await bytesOf('dists/stable')), 'inner');
  t.is(String(await bytesOf('dists/stable/Release')), 'release');
  t.is(await readFile(join(root, 'dists/.package-cache-self'), 'utf8'), 'listing, changed');
});

test('a document in the way keeps its date and last use when it moves', async (t) => {
  const { put, store } = await makeCache(t);
  const { inode } = await put('a', 'document', 1_700_000_001);
  await put('a/b', 'below');
  const entry = await store.find('a');
  t.like(entry, { mtime: 1_700_000_001, inode });
  entry?.file.release();
});

test('documents and directories of one name come in any order and at once, and none is lost', async (t) => {
  const keys = ['a', 'a/b', 'a/b/c', 'a/b/c/d', 'a/x', 'a/x/y', 'z'];
  const waves = fc
    .shuffledSubarray(keys, { minLength: keys.length })
    .chain((order) => fc.tuple(fc.constant(order), fc.integer({ min: 1, max: keys.length })));
  await fc.assert(
    fc.asyncProperty(waves, async ([order, atOnce]) => {
      const { put, bytesOf, layout } = await makeCache(t);
      for (let from = 0; from < order.length; from += atOnce) {
        await Promise.all(order.slice(from, from + atOnce).map((key) => put(key, `of ${key}`)));
      }
      for (const key of keys) t.is(String(await bytesOf(key)), `of ${key}`);
      t.deepEqual(await readdir(layout.movingFolder), ['.keep']);
    }),
    { numRuns: 20 },
  );
});
