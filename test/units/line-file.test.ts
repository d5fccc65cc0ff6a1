import { mkdir, readFile, rename, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { describe } from '../../daemon/errors.ts';
import { openLineFile } from '../../daemon/system/line-file.ts';
import { tempDir } from '../helpers/files.ts';
import { linesThrough } from '../helpers/watching.ts';

function never(cause: unknown): never {
  throw cause;
}

test('lines are appended in their order, and all of them are there when it is closed', async (t) => {
  const path = join(await tempDir(t), 'log');
  for (const run of ['a', 'b']) {
    const file = openLineFile(path, never);
    for (let line = 0; line < 1000; line += 1) file.write(`${run}${line}`);
    await file.close();
  }
  const lines = (await readFile(path, 'utf8')).split('\n');
  t.is(lines.length, 2001);
  t.deepEqual([lines[0], lines[999], lines[1000], lines[1999]], ['a0', 'a999', 'b0', 'b999']);
});

test('a file that was moved away takes the lines until another one is opened', async (t) => {
  const path = join(await tempDir(t), 'log');
  const file = openLineFile(path, never);
  file.write('one');
  await linesThrough(path, /one/);
  await rename(path, `${path}.1`);
  file.write('two');
  await file.close();
  t.is(await readFile(`${path}.1`, 'utf8'), 'one\ntwo\n');
});

test('a path that cannot be opened is told at once, and once only', async (t) => {
  const told: string[] = [];
  const file = openLineFile(await tempDir(t), (cause) => told.push(describe(cause)));
  for (const line of ['a', 'b', 'c']) file.write(line);
  await file.close();
  t.is(told.length, 1);
  t.regex(told[0] ?? '', /^EISDIR/);
});

test('a path that can be opened later takes what comes then, and is told when it fails anew', async (t) => {
  const folder = await tempDir(t);
  const path = join(folder, 'later/log');
  const { promise, resolve } = Promise.withResolvers<void>();
  const told: string[] = [];
  const file = openLineFile(path, (cause) => {
    told.push(describe(cause));
    resolve();
  });
  await promise;
  await mkdir(join(folder, 'later'));
  file.write('here');
  await file.close();
  t.is(await readFile(path, 'utf8'), 'here\n');
  t.is(told.length, 1);
});

test('a full disk is told once for all the lines it does not take', async (t) => {
  const path = join(await tempDir(t), 'log');
  await symlink('/dev/full', path);
  const told: string[] = [];
  const file = openLineFile(path, (cause) => told.push(describe(cause)));
  for (let line = 0; line < 100; line += 1) file.write(String(line));
  await file.close();
  t.is(told.length, 1);
  t.regex(told[0] ?? '', /^ENOSPC/);
  await unlink(path);
});
