import { access, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openManifests } from '../../daemon/gentoo/open-manifests.ts';
import { testClock } from '../helpers/clock.ts';
import { tempDir } from '../helpers/files.ts';
import { Log } from '../helpers/log.ts';
import { distLine, plantManifest, plantRepository } from '../helpers/repository.ts';

async function scene(t: ExecutionContext) {
  const root = await tempDir(t);
  const gentoo = join(root, 'gentoo');
  plantRepository(gentoo, {
    'sys-apps/which': [distLine('which-1.tar.gz', '', 1), distLine('shared', '', 2)],
    'sys-apps/less': [distLine('shared', '', 3)],
  });
  const log = new Log();
  const lost: string[] = [];
  const clock = testClock();
  const open = (paths: readonly string[] = [gentoo]) => {
    const manifests = openManifests({
      paths,
      snapshot: join(root, 'manifests'),
      log: { info: (line) => log.add(line), warn: (line) => log.add(`warning: ${line}`) },
      onLost: (names) => lost.push(...names),
      clock,
    });
    t.teardown(() => manifests.close());
    return manifests;
  };
  const sizesOf = (manifests: ReturnType<typeof open>, name: string) =>
    manifests.digestsOf(name).map(({ size }) => size);
  return { root, gentoo, log, lost, clock, open, sizesOf };
}

test('nothing is known at once, and everything soon', async (t) => {
  const { gentoo, log, clock, open, sizesOf } = await scene(t);
  const manifests = open();
  t.deepEqual(manifests.digestsOf('which-1.tar.gz'), []);
  t.is(manifests.report().readAt, undefined);
  await manifests.ready();
  t.deepEqual(sizesOf(manifests, 'which-1.tar.gz'), [1]);
  t.deepEqual(sizesOf(manifests, 'shared').toSorted(), [2, 3]);
  t.deepEqual(sizesOf(manifests, 'unknown'), []);
  t.deepEqual(manifests.packagesOf('which-1.tar.gz'), [
    { repository: gentoo, category: 'sys-apps', name: 'which' },
  ]);
  t.is(manifests.packagesOf('shared').length, 2);
  t.is(manifests.rows().names.length, 3);
  t.deepEqual(manifests.repositories(), [gentoo]);
  t.like(manifests.report(), { files: 2, digests: 3, readAt: clock.now(), problem: undefined });
  t.deepEqual(log.lines(), ['Manifests: 3 digests of 2 files in 1 repository']);
});

test('a sync is taken over soon, and the log tells of it once', async (t) => {
  const { gentoo, log, lost, clock, open, sizesOf } = await scene(t);
  const manifests = open();
  await manifests.ready();
  await manifests.scan();
  plantManifest(`${gentoo}/sys-apps/which`, [distLine('which-2.tar.gz', '', 4), distLine('x')]);
  plantManifest(`${gentoo}/metadata`, []);
  await writeFile(`${gentoo}/metadata/timestamp.chk`, 'now\n');
  clock.advance(120_000);
  await log.find(/^Manifests: 3 digests of 3 files/);
  t.deepEqual(sizesOf(manifests, 'which-2.tar.gz'), [4]);
  t.deepEqual(sizesOf(manifests, 'which-1.tar.gz'), []);
  t.deepEqual(lost, ['shared']);
  await manifests.scan();
  t.is(log.lines().length, 2);
});

test('the next start knows what the last one knew, without reading it again', async (t) => {
  const { root, gentoo, open, sizesOf } = await scene(t);
  const first = open();
  await first.ready();
  await first.close();
  await access(join(root, 'manifests'));
  await rename(gentoo, `${gentoo}-away`);
  const second = open();
  await second.ready();
  t.deepEqual(sizesOf(second, 'which-1.tar.gz'), [1]);
});

test('other paths are taken over, and none at all', async (t) => {
  const { root, gentoo, log, open, sizesOf } = await scene(t);
  const guru = join(root, 'guru');
  plantRepository(guru, { 'a/b': [distLine('which-1.tar.gz', '', 9)] });
  const manifests = open();
  await manifests.ready();
  manifests.configure([guru, gentoo]);
  await log.find(/in 2 repositories/);
  t.deepEqual(sizesOf(manifests, 'which-1.tar.gz').toSorted(), [1, 9]);
  manifests.configure([guru]);
  await log.find(/^Manifests: 1 digest of 1 file in 1 repository$/);
  t.deepEqual(sizesOf(manifests, 'which-1.tar.gz'), [9]);
  manifests.configure([]);
  await log.find(/^Manifests: 0 digests of 0 files in 0 repositories$/);
  t.deepEqual(sizesOf(manifests, 'which-1.tar.gz'), []);
  t.like(manifests.report(), { repositories: [], readAt: undefined });
  t.deepEqual((await readdir(root)).toSorted(), ['gentoo', 'guru']);
});

test('without a path there is no word and no thread', async (t) => {
  const { root, log, open } = await scene(t);
  const manifests = open([]);
  await manifests.ready();
  t.deepEqual(log.lines(), []);
  t.deepEqual(await readdir(root), ['gentoo']);
});

test('a repository that is missing is told once, looked for, and found', async (t) => {
  const { gentoo, log, clock, open, sizesOf } = await scene(t);
  await rename(gentoo, `${gentoo}-away`);
  const manifests = open();
  await manifests.ready();
  await manifests.scan();
  const warning = `Cannot read "${gentoo}": it does not exist`;
  t.deepEqual(log.lines(), [`warning: ${warning}`]);
  t.like(manifests.report().repositories, { 0: { path: gentoo, problem: warning } });
  t.deepEqual(manifests.repositories(), []);
  await rename(`${gentoo}-away`, gentoo);
  clock.advance(120_000);
  await log.find(/^Manifests: 3 digests/);
  t.deepEqual(sizesOf(manifests, 'which-1.tar.gz'), [1]);
  t.is(manifests.report().repositories[0]?.problem, undefined);
});

test('malformed lines are told once', async (t) => {
  const { gentoo, log, open } = await scene(t);
  plantManifest(`${gentoo}/a/b`, ['DIST a', 'DIST b']);
  const manifests = open();
  await manifests.ready();
  await manifests.scan();
  t.deepEqual(log.lines(), [
    `warning: Manifests: passed over 2 malformed DIST lines in ${gentoo}`,
    'Manifests: 3 digests of 2 files in 1 repository',
  ]);
});

test('what cannot be kept for the next start is known all the same', async (t) => {
  const { root, log, open, sizesOf } = await scene(t);
  await mkdir(join(root, 'manifests.new'));
  const manifests = open();
  await manifests.ready();
  t.deepEqual(sizesOf(manifests, 'which-1.tar.gz'), [1]);
  t.regex(log.lines()[0] ?? '', /^warning: Cannot write ".*\/manifests": EISDIR/);
  t.is(`warning: ${manifests.report().problem}`, log.lines()[0] ?? '');
});

test('closing breaks a scan off without a word', async (t) => {
  const { log, clock, open } = await scene(t);
  const manifests = open();
  const ready = manifests.ready();
  await new Promise(setImmediate);
  await manifests.close();
  await ready;
  await manifests.scan();
  t.is(clock.pending(), 0);
  t.deepEqual(
    log.lines().filter((line) => line.startsWith('warning')),
    [],
  );
});
