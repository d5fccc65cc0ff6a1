import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { findRepositories } from '../../daemon/gentoo/repositories.ts';
import { tempDir, writeTree } from '../helpers/files.ts';

test('a path is a repository, or a directory that holds some', async (t) => {
  const root = await tempDir(t);
  await writeTree(root, {
    'repos/gentoo/profiles/repo_name': 'gentoo\n',
    'repos/guru/metadata/layout.conf': '',
    'repos/no-repository/file': '',
    'repos/.snapshots/metadata/layout.conf': '',
    'repos/lost+found/profiles/repo_name': '',
    'repos/file': '',
    'mine/profiles/repo_name': 'mine\n',
    'mine/inside/profiles/repo_name': 'not looked for\n',
  });
  const { found, problems } = findRepositories([join(root, 'mine'), join(root, 'repos')]);
  t.deepEqual(found.map((path) => path.slice(root.length + 1)).toSorted(), [
    'mine',
    'repos/gentoo',
    'repos/guru',
  ]);
  t.is(problems.size, 0);
});

test('a repository that several paths and symlinks lead to is one', async (t) => {
  const root = await tempDir(t);
  await writeTree(root, { 'far/gentoo/profiles/repo_name': '' });
  await mkdir(join(root, 'repos'));
  await symlink('../far/gentoo', join(root, 'repos/gentoo'));
  await symlink('nowhere', join(root, 'repos/dangling'));
  const paths = ['repos', 'far/gentoo', 'far'].map((path) => join(root, path));
  const { found, problems } = findRepositories(paths);
  t.deepEqual(found, [join(root, 'repos/gentoo')]);
  t.is(problems.size, 0);
});

test('a path that leads to no repository is told why', async (t) => {
  const root = await tempDir(t);
  await mkdir(join(root, 'empty'));
  await writeFile(join(root, 'file'), '');
  const paths = ['missing', 'empty', 'file'].map((path) => join(root, path));
  const { found, problems } = findRepositories(paths);
  t.deepEqual(found, []);
  t.deepEqual([...problems.keys()], paths);
  const [missing, empty, file] = [...problems.values()];
  t.is(missing, `Cannot read "${root}/missing": it does not exist`);
  t.is(empty, `Cannot read "${root}/empty": it is no Gentoo repository, nor is there one in it`);
  t.regex(file ?? '', /^Cannot read ".*\/file": ENOTDIR/);
});

test('a repository that was one is missed while its directory is there, and no longer', async (t) => {
  const root = await tempDir(t);
  await mkdir(join(root, 'unmounted'));
  await writeTree(root, { 'gentoo/profiles/repo_name': '' });
  const known = new Set(['gentoo', 'unmounted', 'gone'].map((name) => join(root, name)));
  const { found, problems } = findRepositories([root], known);
  t.deepEqual(found, [join(root, 'gentoo')]);
  t.deepEqual(
    [...problems],
    [[`${root}/unmounted`, `Cannot read "${root}/unmounted": it is no Gentoo repository`]],
  );
});
