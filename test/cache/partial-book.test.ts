import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openDirectory } from '../../daemon/cache/directory.ts';
import type { Layout } from '../../daemon/cache/layout.ts';
import { openPartialBook, type PartialRecord } from '../../daemon/cache/partial-book.ts';
import { tempDir } from '../helpers/files.ts';

const week = 7 * 86_400_000;

const record: PartialRecord = {
  key: 'distfiles/ab/a.tar.xz',
  repository: '',
  path: 'distfiles/ab/a.tar.xz',
  upstreamPath: 'distfiles/ab/a.tar.xz',
  source: 'http://mirror.example.org/',
  mtime: 1_700_000_000,
  length: 100,
  synced: 40,
};

async function scene(t: ExecutionContext) {
  const directory = await openDirectory(await tempDir(t));
  t.teardown(() => directory.close());
  const { layout } = directory;
  return { layout, book: await openPartialBook(layout) };
}

/** A file of so many bytes as a fill leaves it. */
async function leave(layout: Layout, bytes: number): Promise<string> {
  const path = layout.partial(record.key);
  await writeFile(path, Buffer.alloc(bytes, 7));
  return path;
}

/** The record as it would be had the machine been booted since. */
async function reboot(layout: Layout): Promise<void> {
  const path = `${layout.partial(record.key)}.json`;
  const stored = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  await writeFile(path, JSON.stringify({ ...stored, boot: 'another boot' }));
}

test('after a mere crash all that was written counts', async (t) => {
  const { layout, book } = await scene(t);
  await leave(layout, 60);
  await book.write(record);
  t.is((await book.find(record.key))?.written, 60);
});

test('after a reboot only the bytes count that the record calls safe', async (t) => {
  const { layout, book } = await scene(t);
  await leave(layout, 60);
  await book.write(record);
  await reboot(layout);
  t.is((await book.find(record.key))?.written, 40);
  await leave(layout, 30);
  t.is((await book.find(record.key))?.written, 30);
});

test('no more counts than the whole file has', async (t) => {
  const { layout, book } = await scene(t);
  await leave(layout, 130);
  await book.write(record);
  t.is((await book.find(record.key))?.written, 100);
});

test('a file without a record, with a spoilt one or with one of another key is no partial', async (t) => {
  const { layout, book } = await scene(t);
  const path = await leave(layout, 60);
  t.is(await book.find(record.key), undefined);
  await writeFile(`${path}.json`, '{"format": 1, "key": "distf');
  t.is(await book.find(record.key), undefined);
  await book.write(record);
  const text = await readFile(`${path}.json`, 'utf8');
  await writeFile(`${path}.json`, text.replace('a.tar.xz', 'b.tar.xz'));
  t.is(await book.find(record.key), undefined);
});

test('a sweep keeps what can be resumed and removes the rest, records without a file too', async (t) => {
  const { layout, book } = await scene(t);
  await leave(layout, 60);
  await book.write(record);
  await writeFile(join(layout.partialFolder, 'no-record'), 'x');
  await writeFile(join(layout.partialFolder, 'no-file.json'), '{}');
  await writeFile(join(layout.partialFolder, 'half.json.new'), '{');
  const kept = await book.sweep(Date.now());
  t.deepEqual(
    kept.map(({ written }) => written),
    [60],
  );
  t.is((await readdir(layout.partialFolder)).length, 2);
});

test('a partial goes after seven idle days, at the start and while the daemon runs', async (t) => {
  const { layout, book } = await scene(t);
  const path = await leave(layout, 60);
  await book.write(record);
  const { atime, mtime } = { atime: new Date(), mtime: new Date() };
  await utimes(path, atime, mtime);
  const now = mtime.getTime();
  await book.expire(now + week - 1000, () => false);
  t.not(await book.find(record.key), undefined);
  await book.expire(now + week, (key) => key === record.key);
  t.not(await book.find(record.key), undefined);
  await book.expire(now + week, () => false);
  t.deepEqual(await readdir(layout.partialFolder), []);
  await leave(layout, 60);
  await book.write(record);
  t.deepEqual(await book.sweep(Date.now() + week + 1000), []);
  t.deepEqual(await readdir(layout.partialFolder), []);
});

test('what is dropped by name is gone with its record, but for what is being filled', async (t) => {
  const { layout, book } = await scene(t);
  await leave(layout, 60);
  await book.write(record);
  const isIt = (key: string) => key === record.key;
  t.deepEqual(await book.drop({ matches: () => false, busy: () => false }), []);
  t.deepEqual(await book.drop({ matches: isIt, busy: isIt }), []);
  t.is((await book.find(record.key))?.written, 60);
  t.deepEqual(await book.drop({ matches: isIt, busy: () => false }), [record.key]);
  t.is(await book.find(record.key), undefined);
  t.deepEqual(await readdir(layout.partialFolder), []);
});

test('who looks for a partial that is being dropped waits until it is gone, and may make a new one', async (t) => {
  const { layout, book } = await scene(t);
  const path = await leave(layout, 60);
  await book.write(record);
  const looks: Promise<unknown>[] = [];
  const busy = () => {
    // From here on it is being dropped, and a fill that begins now does not know.
    queueMicrotask(() => looks.push(book.find(record.key).then(() => readdir(dirname(path)))));
    return false;
  };
  await book.drop({ matches: () => true, busy });
  t.deepEqual(await Promise.all(looks), [[]]);
});
