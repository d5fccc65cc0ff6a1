import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { createMetaBook, type Meta } from '../../daemon/cache/meta.ts';
import { makeCache } from '../helpers/cache.ts';

const meta: Meta = {
  etag: '"of the source"',
  lastModified: 1_700_000_001,
  type: 'text/plain',
  source: 'http://mirror.example/',
  checked: 1_800_000_000_000,
  fetched: 1_700_000_100_000,
};

const subject = { key: 'dists/stable/InRelease', size: 100, mtime: 1_700_000_001, inode: 42 };

test('a record speaks of one body, and of no other of its name', async (t) => {
  const book = createMetaBook((await makeCache(t)).layout);
  await book.write(subject, meta);
  t.like(await book.read(subject), meta);
  const others = [{ size: 101 }, { mtime: 1_700_000_002 }, { inode: 43 }, { key: 'dists/Release' }];
  for (const other of others) t.is(await book.read({ ...subject, ...other }), undefined);
});

test('a record that was never written, is spoilt or of another format says nothing', async (t) => {
  const { layout } = await makeCache(t);
  const book = createMetaBook(layout);
  t.is(await book.read(subject), undefined);
  await book.write(subject, meta);
  const path = layout.meta(subject.key);
  const whole = await readFile(path, 'utf8');
  const other = whole.replace('"format":1', '"format":2');
  t.not(other, whole);
  for (const text of ['', 'null', '[]', whole.slice(0, -20), other]) {
    await writeFile(path, text);
    t.is(await book.read(subject), undefined, text);
  }
});

test('what a crash leaves of a record that was being written disturbs nobody', async (t) => {
  const { layout } = await makeCache(t);
  const book = createMetaBook(layout);
  await book.write(subject, meta);
  await writeFile(`${layout.meta(subject.key)}.new`, '{"format":1,');
  t.like(await book.read(subject), meta);
  await book.expireSiblings('dists/stable/Release.gpg');
  t.like(await book.read(subject), { ...meta, checked: 0 });
});

test('a change asks for a check of its siblings, and of nothing else', async (t) => {
  const book = createMetaBook((await makeCache(t)).layout);
  const sibling = { ...subject, key: 'dists/stable/Release' };
  const elsewhere = { ...subject, key: 'dists/testing/Release' };
  for (const each of [subject, sibling, elsewhere]) await book.write(each, meta);
  await book.expireSiblings(subject.key);
  t.like(await book.read(subject), { checked: meta.checked });
  t.like(await book.read(elsewhere), { checked: meta.checked });
  t.like(await book.read(sibling), { ...meta, checked: 0 });
});

test('a spoilt record of a sibling goes', async (t) => {
  const { layout } = await makeCache(t);
  const book = createMetaBook(layout);
  await book.write(subject, meta);
  const spoilt = join(dirname(layout.meta(subject.key)), 'spoilt.json');
  await writeFile(spoilt, '{');
  await book.expireSiblings(subject.key);
  t.deepEqual(await readdir(dirname(spoilt)), [layout.meta(subject.key).split('/').at(-1)]);
});

test('records of one directory that change at the same time are all whole, the last ones', async (t) => {
  const book = createMetaBook((await makeCache(t)).layout);
  const subjects = Array.from({ length: 5 }, (_, at) => ({ ...subject, key: `d/${at}` }));
  const writes = [1, 2, 3, 4].flatMap((round) => [
    ...subjects.map((each) => book.write({ ...each, size: round }, { ...meta, checked: round })),
    book.expireSiblings(`d/${round}`),
  ]);
  await Promise.all(writes);
  for (const each of subjects) {
    const kept = await book.read({ ...each, size: 4 });
    t.is(kept?.checked, each.key === 'd/4' ? 4 : 0, each.key);
  }
});
