import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import {
  createDirectoryMaker,
  makeDirectory,
  removeFile,
  replaceFile,
} from '../../daemon/cache/durable.ts';
import { tempDir } from '../helpers/files.ts';

test('a file is replaced as a whole, and nothing else is left', async (t) => {
  const folder = await tempDir(t);
  const path = join(folder, 'file');
  await replaceFile(path, 'a long first text');
  const { ino } = await stat(path);
  await replaceFile(path, 'second');
  t.is(await readFile(path, 'utf8'), 'second');
  t.not((await stat(path)).ino, ino);
  t.deepEqual(await readdir(folder), ['file']);
});

test('a file that cannot be replaced stays as it was', async (t) => {
  const folder = await tempDir(t);
  await writeFile(join(folder, 'file'), 'first');
  // Where the new text would be written, something else stands.
  await makeDirectory(join(folder, 'file.new'));
  await t.throwsAsync(replaceFile(join(folder, 'file'), 'second'), { code: 'EISDIR' });
  t.is(await readFile(join(folder, 'file'), 'utf8'), 'first');
});

test('what is not there is as good as removed, and what cannot be is told', async (t) => {
  const folder = await tempDir(t);
  await writeFile(join(folder, 'file'), '');
  await removeFile(join(folder, 'file'));
  await t.notThrowsAsync(removeFile(join(folder, 'file')));
  await t.throwsAsync(removeFile(folder));
});

test('directories that are made at the same time are all there, with their parents', async (t) => {
  const folder = await tempDir(t);
  const make = createDirectoryMaker();
  const names = Array.from({ length: 50 }, (_, at) => `a/${at % 7}/${at}`);
  await Promise.all(names.map((name) => make(join(folder, name))));
  for (const name of names) t.true((await stat(join(folder, name))).isDirectory());
});

test('a directory that cannot be made is told to its own caller alone', async (t) => {
  const folder = await tempDir(t);
  await writeFile(join(folder, 'file'), '');
  const make = createDirectoryMaker();
  const refused = make(join(folder, 'file/below'));
  const made = make(join(folder, 'directory/below'));
  await t.throwsAsync(refused, { code: 'ENOTDIR' });
  await t.notThrowsAsync(made);
});
