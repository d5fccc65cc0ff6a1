import { chmod, chown, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { StatusReply } from '../../daemon/control/reports.ts';
import { openDir, runBare } from '../helpers/bare-daemon.ts';
import { dialControl } from '../helpers/control.ts';
import { type Daemon, startDaemon } from '../helpers/daemon.ts';
import { tempDir } from '../helpers/files.ts';
import { distLine, plantRepository } from '../helpers/repository.ts';

const asRoot = process.getuid?.() === 0 ? test : test.skip;

async function statusOf(t: Parameters<typeof dialControl>[0], { controlSocket }: Daemon) {
  const control = await dialControl(t, controlSocket);
  return (await control.call<StatusReply>('status')).reply;
}

test('MANIFESTS is read at the start and again when a reload changes it', async (t) => {
  const root = await tempDir(t);
  plantRepository(join(root, 'gentoo'), {
    'sys-apps/which': [distLine('which-2.23.tar.gz'), distLine('which-2.25.tar.gz')],
    'sys-apps/bad': ['DIST bad'],
  });
  plantRepository(join(root, 'guru'), { 'a/b': [distLine('b-1.tar.gz')] });
  const daemon = await startDaemon(t, { conf: { MANIFESTS: join(root, 'gentoo') } });
  await daemon.logged(/info: Manifests: 2 digests of 2 files in 1 repository$/);
  const { manifests, degraded } = await statusOf(t, daemon);
  t.like(manifests, {
    digests: 2,
    files: 2,
    problem: null,
    repositories: [
      { path: join(root, 'gentoo'), manifests: 2, digests: 2, malformed: 1, problem: null },
    ],
  });
  t.true(Math.abs(Date.now() - (manifests?.readAt ?? 0)) < 60_000);
  t.deepEqual(degraded, []);
  await daemon.configure({ MANIFESTS: root });
  daemon.signal('SIGHUP');
  await daemon.logged(/reloaded: MANIFESTS changed/);
  await daemon.logged(/info: Manifests: 3 digests of 3 files in 2 repositories$/);
  await daemon.configure({});
  daemon.signal('SIGHUP');
  await daemon.logged(/info: Manifests: 0 digests/);
  t.is((await statusOf(t, daemon)).manifests, null);
});

asRoot(
  'a repository that PC_USER may not read is told, with the way out, which works',
  async (t) => {
    const root = await openDir(t);
    const gentoo = join(root, 'gentoo');
    plantRepository(gentoo, { 'a/a': [distLine('a')], 'b/b': [distLine('b')] });
    await chmod(gentoo, 0o750);
    const daemon = await startDaemon(t, { user: 'nobody', conf: { MANIFESTS: gentoo } });
    const line = await daemon.logged(/warn: Cannot read/);
    const { uid } = await stat(daemon.cacheDir);
    const reason = `user nobody (uid ${uid}) may not read it`;
    const problem = `Cannot read "${gentoo}": ${reason}; mend it with: chmod -R o+rX '${gentoo}'`;
    t.true(line.endsWith(problem), line);
    const before = await statusOf(t, daemon);
    t.deepEqual(before.degraded, [problem]);
    t.is(before.manifests?.repositories[0]?.problem, problem);
    await chmod(gentoo, 0o755);
    daemon.signal('SIGHUP');
    await daemon.logged(/Manifests: 2 digests of 2 files/);
    // What becomes unreadable stays known.
    await chmod(`${gentoo}/b`, 0o700);
    daemon.signal('SIGHUP');
    await daemon.logged(/warn: Cannot read ".*\/gentoo\/b": .*; mend it with: chmod -R o\+rX/);
    t.like(await statusOf(t, daemon), { manifests: { digests: 2, files: 2 } });
  },
);

asRoot('a check tells which repository PC_USER cannot read, and which path is none', async (t) => {
  const root = await openDir(t);
  await mkdir(join(root, 'empty'));
  await mkdir(join(root, 'closed'), { mode: 0o700 });
  await mkdir(join(root, 'cache'));
  await chown(join(root, 'cache'), 65_534, 65_534);
  plantRepository(join(root, 'closed/gentoo'));
  plantRepository(join(root, 'right'));
  const paths = ['right', 'missing', 'empty', 'closed/gentoo'].map((path) => join(root, path));
  const conf = { PC_USER: 'nobody', CACHE_DIR: join(root, 'cache'), MANIFESTS: paths.join(' ') };
  const daemon = await startDaemon(t, { conf: { MANIFESTS: paths[0] ?? '' } });
  await daemon.configure({ ...conf, CONTROL_SOCKET: join(root, 'control.sock') });
  const { code, stderr } = await runBare({ args: ['--check-config', '--config', daemon.confFile] });
  t.is(code, 0);
  const told = stderr.split('\n').filter((line) => line.includes('Cannot read "'));
  t.is(told.length, 3);
  t.true(told[0]?.endsWith(`warning: Cannot read "${root}/missing": it does not exist`));
  t.regex(told[1] ?? '', /\/empty": it is no Gentoo repository, nor is there one in it$/);
  t.regex(told[2] ?? '', /may not enter '.*\/closed'; mend it with: chmod o\+x '.*\/closed'$/);
});
