import { copyFile, lstat, mkdir, readFile, rename, symlink, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openDirectory } from '../../daemon/cache/directory.ts';
import { replaceFile } from '../../daemon/cache/durable.ts';
import { createLayout } from '../../daemon/cache/layout.ts';
import { createMetaBook } from '../../daemon/cache/meta.ts';
import { openPartialBook, type PartialRecord } from '../../daemon/cache/partial-book.ts';
import { expireQuarantine } from '../../daemon/cache/quarantine.ts';
import { readStats, writeStats } from '../../daemon/cache/stats-file.ts';
import { createSnapshot, openSnapshot } from '../../daemon/gentoo/snapshot.ts';
import { bytesIn } from '../../daemon/room/disk.ts';
import { createCounters } from '../../daemon/stats.ts';
import { makeCache } from '../helpers/cache.ts';
import { tempDir, writeTree } from '../helpers/files.ts';

const key = 'distfiles/ab/package.tar.xz';

/** A file that is nobody's to change, and a way to lead others to it. */
async function plant(t: ExecutionContext) {
  const folder = await tempDir(t);
  const precious = join(folder, 'precious');
  await writeTree(folder, { precious: 'precious' });
  return {
    folder,
    precious,
    text: () => readFile(precious, 'utf8'),
    /** Moves a file away and leaves a symlink to it. */
    lead: async (path: string) => {
      const away = join(folder, `away-${basename(path)}`);
      await rename(path, away);
      await symlink(away, path);
    },
  };
}

test('what is written beside a file, to replace it, follows no symlink', async (t) => {
  const { folder, precious, text } = await plant(t);
  const path = join(folder, 'file');
  await symlink(precious, `${path}.new`);
  await replaceFile(path, 'new');
  t.is(await readFile(path, 'utf8'), 'new');
  t.true((await lstat(path)).isFile());
  t.is(await text(), 'precious');
});

test('a symlink in the place of a file is replaced, and its target is untouched', async (t) => {
  const { folder, precious, text } = await plant(t);
  const path = join(folder, 'file');
  await symlink(precious, path);
  await replaceFile(path, 'new');
  t.true((await lstat(path)).isFile());
  t.is(await text(), 'precious');
});

test('the snapshot of the Manifests is written and read through no symlink', async (t) => {
  const { folder, precious, text, lead } = await plant(t);
  const path = join(folder, 'manifests');
  await symlink(precious, `${path}.new`);
  t.true('checksum' in createSnapshot(path).commit());
  t.is(await text(), 'precious');
  const snapshot = openSnapshot(path);
  t.truthy(snapshot);
  snapshot?.close();
  await lead(path);
  t.is(openSnapshot(path), undefined);
});

test('counters and records are read through no symlink', async (t) => {
  const { lead } = await plant(t);
  const { layout, put } = await makeCache(t);
  const since = '2001-01-01T00:00:00.000Z';
  await writeStats(layout.stats, { since, lifetime: createCounters() });
  const { size, mtime, inode } = await put(key, 'body');
  const book = createMetaBook(layout);
  const meta = { source: 'http://mirror.example.org/', checked: 1, fetched: 1 };
  await book.write({ key, size, mtime, inode }, meta);
  t.truthy(await book.read({ key, size, mtime, inode }));
  t.is((await readStats(layout.stats)).since, since);
  await lead(layout.stats);
  await lead(layout.meta(key));
  t.is(await book.read({ key, size, mtime, inode }), undefined);
  t.not((await readStats(layout.stats)).since, since);
});

const record: PartialRecord = {
  key,
  repository: '',
  path: key,
  upstreamPath: key,
  source: 'http://mirror.example.org/',
  mtime: 1,
  length: 1000,
  synced: 8,
};

test('a partial that became a symlink is not gone on with, nor its record read', async (t) => {
  const { lead } = await plant(t);
  const { layout } = await makeCache(t);
  const path = layout.partial(key);
  await writeTree(layout.partialFolder, { [basename(path)]: 'precious' });
  const book = await openPartialBook(layout);
  await book.write(record);
  t.is((await book.find(key))?.written, 8);
  await copyFile(`${path}.json`, `${path}.kept`);
  await lead(`${path}.json`);
  t.is(await book.find(key), undefined);
  await rename(`${path}.kept`, `${path}.json`);
  t.is((await book.find(key))?.written, 8);
  await lead(path);
  t.is(await book.find(key), undefined);
  t.is(await bytesIn(layout.partialFolder), (await lstat(`${path}.json`)).size);
});

test('a cache directory whose lock is a symlink is refused, and nothing is made', async (t) => {
  const { folder } = await plant(t);
  const root = join(folder, 'cache');
  const { lock } = createLayout(root);
  await mkdir(join(lock, '..'), { recursive: true });
  await symlink(join(folder, 'made'), lock);
  const error = await t.throwsAsync(openDirectory(root), { code: 'storage' });
  t.regex(error?.message ?? '', /a symlink/);
  await t.throwsAsync(lstat(join(folder, 'made')), { code: 'ENOENT' });
});

for (const name of ['', 'partial', 'meta', 'quarantine']) {
  test(`a folder of our own that is a symlink is refused: .package-cache/${name}`, async (t) => {
    const { folder, text } = await plant(t);
    const root = join(folder, 'cache');
    const own = join(root, '.package-cache', name);
    await mkdir(join(own, '..'), { recursive: true });
    await symlink(folder, own);
    const error = await t.throwsAsync(openDirectory(root), { code: 'storage' });
    t.true(error?.message.endsWith(`"${own}" is a symlink; remove it`), error?.message);
    t.is(await text(), 'precious');
  });
}

test('a quarantine that became a symlink is not emptied', async (t) => {
  const { folder, precious, text } = await plant(t);
  const { layout } = await makeCache(t);
  await utimes(precious, 1, 1);
  await symlink(folder, layout.quarantineFolder);
  await expireQuarantine(layout, Date.now() + 30 * 86_400_000);
  t.is(await text(), 'precious');
});
