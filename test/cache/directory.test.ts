import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  type CacheDirectory,
  checkDirectory,
  openDirectory,
} from '../../daemon/cache/directory.ts';
import { CacheError } from '../../daemon/errors.ts';
import { tempDir, writeTree } from '../helpers/files.ts';

async function opened(t: ExecutionContext, root: string): Promise<CacheDirectory> {
  const directory = await openDirectory(root);
  t.teardown(() => directory.close().catch(() => {}));
  return directory;
}

async function refused(t: ExecutionContext, root: string): Promise<CacheError> {
  return t.throwsAsync(openDirectory(root), { instanceOf: CacheError });
}

test('a cache directory is made with its parents, for everybody to read', async (t) => {
  const root = join(await tempDir(t), 'var/cache/package-cache');
  await opened(t, root);
  t.is((await stat(root)).mode & 0o777, 0o755);
  t.deepEqual((await readdir(root)).toSorted(), ['.package-cache']);
  const own = await readdir(join(root, '.package-cache'));
  t.deepEqual(own.toSorted(), ['id', 'lock', 'meta', 'moving', 'partial']);
});

test('a cache directory belongs to one daemon until that one lets go', async (t) => {
  const root = await tempDir(t);
  const first = await opened(t, root);
  const error = await refused(t, root);
  t.is(error.code, 'in-use');
  t.is(
    error.message,
    `Cannot use "${root}": another package-cache uses it; stop that one or choose another CACHE_DIR`,
  );
  await first.close();
  await t.notThrowsAsync(opened(t, root));
});

test('two daemons that start at the same moment do not both get it', async (t) => {
  const root = await tempDir(t);
  const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => opened(t, root)));
  t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('a check takes no lock, so that a running daemon does not hinder it', async (t) => {
  const root = await tempDir(t);
  await opened(t, root);
  await t.notThrowsAsync(checkDirectory(root, { rootMakes: false }));
});

test('the id of a cache is its own and stays, and a spoilt one is made anew', async (t) => {
  const [one, two] = [await tempDir(t), await tempDir(t)];
  const first = await opened(t, one);
  t.regex(first.id, /^package-cache-[0-9a-f]{16}$/);
  t.not((await opened(t, two)).id, first.id);
  await first.close();
  const again = await opened(t, one);
  t.is(again.id, first.id);
  await again.close();
  await writeFile(first.layout.id, 'package-cache-\r\nX: y');
  const renewed = await opened(t, one);
  t.regex(renewed.id, /^package-cache-[0-9a-f]{16}$/);
  t.is(await readFile(first.layout.id, 'utf8'), `${renewed.id}\n`);
});

test('what a crash left half moved is gone, and what is stored stays', async (t) => {
  const root = await tempDir(t);
  await writeTree(root, {
    'distfiles/package': 'bytes',
    '.package-cache/moving/document-x/.package-cache-self': 'half moved',
  });
  const { layout } = await opened(t, root);
  t.deepEqual(await readdir(layout.movingFolder), []);
  t.is(await readFile(join(root, 'distfiles/package'), 'utf8'), 'bytes');
});

test('a check makes nothing, and sees whether the missing could be made', async (t) => {
  const folder = await tempDir(t);
  await checkDirectory(join(folder, 'var/cache'), { rootMakes: false });
  await checkDirectory(folder, { rootMakes: false });
  t.deepEqual(await readdir(folder), []);
});

test('a file where the cache or a parent should be is told, with the way out', async (t) => {
  const folder = await tempDir(t);
  await writeTree(folder, { file: '' });
  for (const root of [join(folder, 'file'), join(folder, 'file/below/it')]) {
    const error = await refused(t, root);
    t.is(error.code, 'storage');
    const reason = 'it or a parent is a file, not a directory; choose another CACHE_DIR';
    t.is(error.message, `Cannot use cache directory "${root}": ${reason}`);
  }
});

test('a symlink that leads nowhere is told and not filled', async (t) => {
  const folder = await tempDir(t);
  await symlink('nowhere', join(folder, 'cache'));
  const error = await refused(t, join(folder, 'cache'));
  t.is(error.code, 'storage');
  t.deepEqual(await readdir(folder), ['cache']);
});
