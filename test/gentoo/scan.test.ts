import { mkdir, rename, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { findDigests, findPackages } from '../../daemon/gentoo/digest-table.ts';
import { learn } from '../../daemon/gentoo/learn.ts';
import { type Gathered, type ScanOrder, scan } from '../../daemon/gentoo/scan.ts';
import { tempDir } from '../helpers/files.ts';
import { distLine, longAgo, plantManifest, plantRepository } from '../helpers/repository.ts';

/** What a scan found, and what it says of names. */
interface Found extends Gathered {
  readonly sizesOf: (name: string) => readonly number[];
  readonly packagesOf: (name: string) => readonly string[];
}

async function scene(t: ExecutionContext) {
  const root = await tempDir(t);
  const gentoo = join(root, 'gentoo');
  plantRepository(gentoo, {
    'sys-apps/which': [distLine('which-1.tar.gz', '', 1)],
    'sys-apps/less': [distLine('less-1.tar.gz', '', 2), distLine('shared', '', 3)],
    'app-misc/foo': [distLine('shared', '', 3)],
  });
  const order: ScanOrder = { paths: [gentoo], snapshot: join(root, 'snapshot') };
  const look = (more: Partial<ScanOrder> = {}) => scan({ ...order, ...more }, Date.now());
  /** Scans, and expects something new. */
  const read = (more: Partial<ScanOrder> = {}): Found => {
    const { gathered } = look(more);
    if (gathered === undefined) throw new Error('Nothing is new');
    const { rows, packages } = gathered;
    return {
      ...gathered,
      sizesOf: (name) => findDigests(rows, name).map(({ size }) => size),
      packagesOf: (name) => findPackages(rows, name).map((index) => packages[index] ?? ''),
    };
  };
  return { root, gentoo, look, read };
}

test('every DIST line of a repository is known, with the package it belongs to', async (t) => {
  const { gentoo, read } = await scene(t);
  const found = read();
  t.deepEqual(found.sizesOf('which-1.tar.gz'), [1]);
  t.deepEqual(found.packagesOf('which-1.tar.gz'), [`${gentoo}/sys-apps/which`]);
  t.deepEqual(found.sizesOf('shared'), [3]);
  t.deepEqual(found.packagesOf('shared').toSorted(), [
    `${gentoo}/app-misc/foo`,
    `${gentoo}/sys-apps/less`,
  ]);
  t.like(found, { files: 3, digests: 3, lost: [] });
});

test('only categories are looked through, and no symlink is followed', async (t) => {
  const { gentoo, root, look } = await scene(t);
  const elsewhere = join(root, 'elsewhere');
  plantManifest(`${elsewhere}/pkg`, [distLine('elsewhere')]);
  for (const folder of [
    'metadata/md5-cache',
    'profiles/x',
    'eclass/x',
    '.git/x',
    'a-category/.x',
  ]) {
    plantManifest(`${gentoo}/${folder}`, [distLine('no package')]);
  }
  await symlink(elsewhere, `${gentoo}/linked`);
  await symlink(`${elsewhere}/pkg`, `${gentoo}/app-misc/linked`);
  await mkdir(`${gentoo}/app-misc/linked-manifest`);
  await symlink(`${elsewhere}/pkg/Manifest`, `${gentoo}/app-misc/linked-manifest/Manifest`);
  await mkdir(`${gentoo}/app-misc/none`);
  await writeFile(`${gentoo}/app-misc/metadata.xml`, '');
  t.like(look().repositories[0], { manifests: 3, digests: 4, problem: undefined });
});

test('a scan of what has not changed reads no Manifest and finds nothing new', async (t) => {
  const { gentoo, look, read } = await scene(t);
  const { checksum } = read();
  // The stamps stay: whoever reads the file would see the difference.
  const manifest = `${gentoo}/sys-apps/which/Manifest`;
  const { size } = await stat(manifest);
  await truncate(manifest, 0);
  await truncate(manifest, size);
  await utimes(manifest, longAgo, longAgo);
  const { gathered, repositories } = look({ since: checksum });
  t.is(gathered, undefined);
  t.like(repositories[0], { path: gentoo, manifests: 3, digests: 4, malformed: 0 });
  t.deepEqual(read().sizesOf('which-1.tar.gz'), [1]);
});

test('what a sync changes, adds and takes away is seen', async (t) => {
  const { gentoo, read } = await scene(t);
  const { checksum } = read();
  plantManifest(`${gentoo}/sys-apps/which`, [distLine('which-2.tar.gz', '', 10)]);
  plantManifest(`${gentoo}/sys-apps/sed`, [distLine('sed-1.tar.gz', '', 11)]);
  await rm(`${gentoo}/app-misc`, { recursive: true });
  const found = read({ since: checksum });
  t.deepEqual(found.sizesOf('which-1.tar.gz'), []);
  t.deepEqual(found.sizesOf('which-2.tar.gz'), [10]);
  t.deepEqual(found.sizesOf('sed-1.tar.gz'), [11]);
  t.deepEqual(found.packagesOf('shared'), [`${gentoo}/sys-apps/less`]);
  t.deepEqual(found.lost, []);
});

test('a Manifest that was written just now is read again, as it may be written once more', async (t) => {
  const { gentoo, read } = await scene(t);
  const manifest = `${gentoo}/sys-apps/which/Manifest`;
  const line = distLine('which-1.tar.gz', '', 7);
  await writeFile(manifest, `${line}\n`);
  const before = await stat(manifest);
  const { checksum, sizesOf } = read();
  t.deepEqual(sizesOf('which-1.tar.gz'), [7]);
  await writeFile(manifest, `${line.replace(' 7 ', ' 8 ')}\n`);
  await utimes(manifest, before.atime, before.mtime);
  t.is((await stat(manifest)).ino, before.ino);
  t.deepEqual(read({ since: checksum }).sizesOf('which-1.tar.gz'), [8]);
});

test('a name that has lost its digest and has another is told, and no other name', async (t) => {
  const { gentoo, read } = await scene(t);
  const { checksum } = read();
  plantManifest(`${gentoo}/sys-apps/which`, [distLine('which-1.tar.gz', 'other', 1)]);
  // Another package still has the digest of the one, and nobody knows the other name any more.
  plantManifest(`${gentoo}/sys-apps/less`, [distLine('shared', 'more', 30)]);
  const found = read({ since: checksum });
  t.deepEqual(found.lost, ['which-1.tar.gz']);
  t.deepEqual(found.sizesOf('shared').toSorted(), [3, 30]);
  // That is a matter of snapshots, and so of restarts as well.
  await rm(`${gentoo}/app-misc`, { recursive: true });
  t.deepEqual(read().lost, ['shared']);
  t.deepEqual(read().lost, []);
});

test('two repositories may have different digests for one name: both hold', async (t) => {
  const { root, gentoo, read } = await scene(t);
  const guru = join(root, 'guru');
  plantRepository(guru, { 'sys-apps/which': [distLine('which-1.tar.gz', '', 5)] });
  const both = read({ paths: [gentoo, guru] });
  t.deepEqual(both.sizesOf('which-1.tar.gz').toSorted(), [1, 5]);
  const one = read({ paths: [guru], since: both.checksum });
  t.deepEqual(one.sizesOf('which-1.tar.gz'), [5]);
  t.deepEqual(one.lost, ['which-1.tar.gz']);
  t.is(one.files, 1);
});

test('malformed lines are passed over and counted, also when nothing has changed', async (t) => {
  const { gentoo, look } = await scene(t);
  plantManifest(`${gentoo}/sys-apps/bad`, ['DIST a', distLine('good'), 'DIST b/c 1 BLAKE2B x']);
  const { gathered, repositories } = look();
  t.like(repositories[0], { manifests: 4, digests: 5, malformed: 2, problem: undefined });
  t.like(look({ since: gathered?.checksum }), { gathered: undefined, repositories });
});

for (const [title, hide] of Object.entries<(gentoo: string) => Promise<unknown>>({
  'is missing': (gentoo) => rename(gentoo, `${gentoo}-away`),
  'is an empty mount point': async (gentoo) => {
    await rename(gentoo, `${gentoo}-away`);
    await mkdir(gentoo);
  },
  'lost all packages': async (gentoo) => {
    for (const category of ['sys-apps', 'app-misc']) {
      await rm(`${gentoo}/${category}`, { recursive: true });
    }
  },
})) {
  test(`what was known of a repository that ${title} stays, with a word on it`, async (t) => {
    const { gentoo, look, read } = await scene(t);
    const { checksum } = read();
    await hide(gentoo);
    const { gathered, repositories } = look({ since: checksum });
    t.is(gathered, undefined);
    t.like(repositories, { length: 1, 0: { path: gentoo, manifests: 3, digests: 4 } });
    t.true(repositories[0]?.problem?.startsWith(`Cannot read "${gentoo}": `));
    t.deepEqual(read().sizesOf('which-1.tar.gz'), [1]);
    // Whoever takes it out of MANIFESTS means it.
    t.is(read({ paths: [] }).files, 0);
  });
}

test('all repositories below a directory that is missing stay known', async (t) => {
  const { root, gentoo, look, read } = await scene(t);
  const repos = join(root, 'repos');
  await mkdir(repos);
  await rename(gentoo, join(repos, 'gentoo'));
  plantRepository(join(repos, 'guru'), { 'a/b': [distLine('x')] });
  const { checksum } = read({ paths: [repos] });
  await rename(repos, `${repos}-away`);
  const { gathered, repositories } = look({ paths: [repos], since: checksum });
  t.is(gathered, undefined);
  t.deepEqual(
    repositories.map(({ path, digests }) => [path.slice(root.length + 1), digests]).toSorted(),
    [
      ['repos', 0],
      ['repos/gentoo', 4],
      ['repos/guru', 1],
    ],
  );
  t.deepEqual(
    repositories.flatMap(({ problem }) => problem ?? []),
    [`Cannot read "${repos}": it does not exist`],
  );
});

test('a repository that is gone from its directory is forgotten', async (t) => {
  const { root, read } = await scene(t);
  plantRepository(join(root, 'guru'), { 'a/b': [distLine('x')] });
  const { checksum, files } = read({ paths: [root] });
  await rm(join(root, 'guru'), { recursive: true });
  t.is(read({ paths: [root], since: checksum }).files, files - 1);
});

test('a Manifest that cannot be read is told, and what was known of it stays', async (t) => {
  const directory = await tempDir(t);
  await mkdir(`${directory}/Manifest`);
  const problems: string[] = [];
  const onProblem = (problem: string) => problems.push(problem);
  const text = `${distLine('a', '', 1)}\n`;
  const known = { package: 'a/b', stamp: 'old', digests: 1, malformed: 0, text: () => text };
  const order = { package: 'a/b', stamp: 'new', changed: true, directory, onProblem };
  const learnt = learn({ ...order, known });
  t.like(learnt, { record: known, text, lines: { length: 1 } });
  t.is(learn({ ...order, known: undefined }), undefined);
  t.regex(problems.join('\n'), /^(Cannot read ".*\/Manifest": EISDIR[^\n]*\n?){2}$/);
  // What is gone is no problem.
  await rm(`${directory}/Manifest`, { recursive: true });
  t.is(learn({ ...order, known }), undefined);
  t.is(problems.length, 2);
});
