import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { chmod, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { lastUseOf } from '../../daemon/cache/entry.ts';
import { type Problem, type WalkedEntry, walk } from '../../daemon/room/walk.ts';
import { plant } from '../helpers/entries.ts';
import { tempDir, writeTree } from '../helpers/files.ts';
import { mountOverlay, mountTmpfs } from '../helpers/mounts.ts';
import { root as checkout, run } from '../helpers/process.ts';

function walked(t: ExecutionContext, root: string): WalkedEntry[] {
  const unreadable = (problem: Problem) => t.fail(`${problem.path}: ${problem.reason}`);
  return [...walk({ root, unreadable })];
}

function keysOf(t: ExecutionContext, root: string): string[] {
  return walked(t, root)
    .map(({ key }) => key)
    .toSorted();
}

test('every file is an entry, with its key, its bytes and its last use', async (t) => {
  const root = await tempDir(t);
  await plant(root, { 'a/b/package-1.0': { size: 7, days: 50 }, top: { size: 0, days: 0 } });
  const found = walked(t, root).toSorted((a, b) => b.size - a.size);
  t.like(found[0], {
    key: 'a/b/package-1.0',
    file: join(root, 'a/b/package-1.0'),
    directory: join(root, 'a/b'),
    size: 7,
    lastUse: lastUseOf(await stat(join(root, 'a/b/package-1.0'))),
  });
  t.deepEqual(
    found.map(({ key, size }) => [key, size]),
    [
      ['a/b/package-1.0', 7],
      ['top', 0],
    ],
  );
});

test('last use is the earlier of access and change, as the store has it', async (t) => {
  const root = await tempDir(t);
  await plant(root, { old: { size: 1, days: 10 }, 'from the future': { size: 1, days: -10 } });
  const ages = walked(t, root).map(({ key, lastUse }) => [
    key,
    Math.round((Date.now() - lastUse) / 86_400_000),
  ]);
  t.deepEqual(Object.fromEntries(ages), { old: 10, 'from the future': 0 });
});

test("the cache's own folder, lost pieces and snapshots are no entries", async (t) => {
  const root = await tempDir(t);
  await writeTree(root, {
    '.package-cache/partial/1': '',
    '.package-cache/id': '',
    'lost+found/1': '',
    '.zfs/snapshot/a': '',
    '.snapshots/1/a': '',
    'deep/.snapshot/a': '',
    'deep/a': '',
  });
  t.deepEqual(keysOf(t, root), ['deep/a']);
});

test('a document that is a directory too is found under its key', async (t) => {
  const root = await tempDir(t);
  await writeTree(root, { 'a/.package-cache-self': '', 'a/b': '' });
  t.deepEqual(keysOf(t, root), ['a', 'a/b']);
});

test('no symlink is followed, and what is no file is no entry', async (t) => {
  const [root, elsewhere] = [await tempDir(t), await tempDir(t)];
  await writeTree(elsewhere, { 'not-ours': '' });
  await writeTree(root, { 'a/file': '' });
  await symlink(elsewhere, join(root, 'a/folder'));
  await symlink(join(elsewhere, 'not-ours'), join(root, 'a/link'));
  await symlink('..', join(root, 'a/loop'));
  await symlink('nowhere', join(root, 'a/dangling'));
  execFileSync('mkfifo', [join(root, 'a/fifo')]);
  t.deepEqual(keysOf(t, root), ['a/file']);
});

test('CACHE_DIR itself may be a symlink', async (t) => {
  const [root, link] = [await tempDir(t), join(await tempDir(t), 'cache')];
  await writeTree(root, { 'a/file': '' });
  await symlink(root, link);
  t.deepEqual(keysOf(t, link), ['a/file']);
});

test('names that are not UTF-8 are walked too, and stay usable', async (t) => {
  const root = await tempDir(t);
  const folder = Buffer.concat([Buffer.from(`${root}/f`), Buffer.from([0xe9])]);
  const file = Buffer.concat([folder, Buffer.from('/caf'), Buffer.from([0xe9, 0xff])]);
  await mkdir(folder);
  await writeFile(file, 'abc');
  await writeTree(root, { 'é/\ufffd': '', 'f/plain': '' });
  const found = walked(t, root).toSorted((a, b) => b.size - a.size);
  t.deepEqual(keysOf(t, root), ['f/plain', 'f\ufffd/caf\ufffd\ufffd', 'é/\ufffd']);
  t.deepEqual(found[0]?.file, file);
  t.deepEqual(found[0]?.directory, folder);
  const others = found.slice(1).map((entry) => typeof entry.file);
  t.deepEqual(others, ['string', 'string']);
});

test('names with line feeds, 255 bytes and deep nesting are walked', async (t) => {
  const root = await tempDir(t);
  const deep = `${'d/'.repeat(400)}file`;
  const keys = ['a\nb', 'é'.repeat(127), deep, '.hidden', '-', 'a b'];
  await writeTree(root, Object.fromEntries(keys.map((key) => [key, ''])));
  t.deepEqual(keysOf(t, root), keys.toSorted());
});

test('what disappears during the walk is not missed', async (t) => {
  const root = await tempDir(t);
  const names = Array.from({ length: 20 }, (_, index) => `${index}`);
  const files = names.flatMap((name) => [`a/${name}`, `${name}/file`]);
  await writeTree(root, Object.fromEntries(files.map((name) => [name, ''])));
  const found = walk({ root, unreadable: ({ path }) => t.fail(path) });
  t.false(found.next().done);
  for (const name of ['a', ...names]) rmSync(join(root, name), { recursive: true });
  t.true([...found].length <= 1);
});

test('on an overlay, as in a container, the files are found', async (t) => {
  const root = await mountOverlay(t);
  if (root === undefined) return;
  await writeTree(root, { a: '', 'below/b': '' });
  t.deepEqual(keysOf(t, root).toSorted(), ['a', 'below/b']);
});

test('other file systems are left alone', async (t) => {
  const root = await mountTmpfs(t, { at: 'mounted/here', options: 'size=1m' });
  if (root === undefined) return;
  await writeTree(root, { 'mounted/here/a': '', 'mounted/b': '' });
  t.deepEqual(keysOf(t, root), ['mounted/b']);
});

test('a directory that may not be read is told, and the rest is walked', async (t) => {
  const root = await tempDir(t);
  await chmod(root, 0o755);
  await writeTree(root, { 'closed/a': '', 'open/b': '' });
  chmodSync(join(root, 'closed'), 0o000);
  t.teardown(() => chmodSync(join(root, 'closed'), 0o755));
  const module = join(checkout, 'daemon/room/walk.ts');
  const program = `
    const { walk } = await import(${JSON.stringify(module)});
    const problems = [];
    const entries = walk({ root: ${JSON.stringify(root)}, unreadable: (one) => problems.push(one) });
    console.log(JSON.stringify({ keys: [...entries].map(({ key }) => key), problems }));
  `;
  const args = ['--input-type=module', '--eval', program];
  const user = process.getuid?.() === 0 ? { user: 'nobody' } : {};
  const { stdout, stderr } = await run(process.execPath, { args, ...user });
  t.is(stderr, '');
  const { keys, problems } = JSON.parse(stdout);
  t.deepEqual(keys, ['open/b']);
  t.is(problems.length, 1);
  t.is(problems[0].path, join(root, 'closed'));
  t.regex(problems[0].reason, /EACCES/);
});

test('a walk changes no time of any file', async (t) => {
  const root = await tempDir(t);
  await plant(root, { 'a/b': { size: 1, days: 3 } });
  const before = await stat(join(root, 'a/b'));
  walked(t, root);
  const after = await stat(join(root, 'a/b'));
  t.deepEqual([after.atimeMs, after.ctimeMs], [before.atimeMs, before.ctimeMs]);
});
