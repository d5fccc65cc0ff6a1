import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { launchBare, openDir, runBare } from '../helpers/bare-daemon.ts';
import { request } from '../helpers/client.ts';
import { runDaemon, startDaemon } from '../helpers/daemon.ts';
import { tempDir } from '../helpers/files.ts';
import { withoutKoffi } from '../helpers/koffi.ts';
import { bodyOf, startOrigin } from '../helpers/origin.ts';
import { needs } from '../helpers/programs.ts';
import { linesThrough } from '../helpers/watching.ts';

const body = bodyOf('package', 100_001);
const target = '/distfiles/3c/package.tar.xz';
const isRoot = process.getuid?.() === 0;

test('a package is dated and synced before it gets its name, and the name is synced after', async (t) => {
  if (!needs(t, 'strace')) return;
  const folder = await tempDir(t);
  const [cacheDir, trace] = [join(folder, 'cache'), join(folder, 'trace')];
  await writeFile(trace, '');
  const calls = '/^(fsync|fdatasync|rename.*|utimensat|futimesat|mkdir.*)$';
  const origin = await startOrigin(t, { files: { '*': { body } } });
  const daemon = launchBare(t, {
    cacheDir,
    through: ['strace', '-D', '-f', '-y', '-qq', '-e', `trace=${calls}`, '-o', trace],
    args: ['--source', origin.url],
  });
  await request({ port: await daemon.port, target });
  const partial = `${cacheDir}/.package-cache/partial/[0-9a-f]+`;
  const [grandparent, parent] = [`${cacheDir}/distfiles`, `${cacheDir}/distfiles/3c`];
  const steps = [
    new RegExp(`utimensat\\(\\d+<${partial}>.*, tv_nsec=0\\}`),
    new RegExp(`fsync\\(\\d+<${partial}>`),
    new RegExp(`mkdir(at)?\\(.*"${parent}"`),
    new RegExp(`fsync\\(\\d+<${grandparent}>`),
    new RegExp(`fsync\\(\\d+<${cacheDir}>`),
    new RegExp(`rename(at2?)?\\(.*"${partial}", .*"${parent}/package.tar.xz"`),
    new RegExp(`fsync\\(\\d+<${parent}>`),
  ];
  const lines = await linesThrough(trace, steps.at(-1) ?? /^$/);
  const order = steps.map((step) => lines.findIndex((line) => step.test(line)));
  t.deepEqual(
    order,
    order.toSorted((left, right) => left - right),
    lines.join('\n'),
  );
  t.false(order.includes(-1), lines.join('\n'));
});

for (const umask of ['077', '000']) {
  test(`files are 0644 and directories 0755 under umask ${umask} too`, async (t) => {
    const cacheDir = join(await tempDir(t), 'parent/cache');
    const origin = await startOrigin(t, { files: { '*': { body } } });
    const daemon = launchBare(t, {
      cacheDir,
      through: ['sh', '-c', `umask ${umask}; exec "$@"`, 'sh'],
      args: ['--source', origin.url],
    });
    const port = await daemon.port;
    await request({ port, target });
    await request({ port, target: '/dists/stable/InRelease' });
    for (const name of ['package', 'InRelease'])
      await daemon.log.find(new RegExp(`stored ".*${name}`));
    const all = await readdir(cacheDir, { recursive: true, withFileTypes: true });
    for (const entry of all) {
      const path = join(entry.parentPath, entry.name);
      t.is((await stat(path)).mode & 0o777, entry.isFile() ? 0o644 : 0o755, path);
    }
    t.is((await stat(cacheDir)).mode & 0o777, 0o755);
  });
}

test('a cache belongs to one daemon: the second one says so and ends, the first goes on', async (t) => {
  const origin = await startOrigin(t, { files: { [target]: { body } } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const second = await runDaemon(['--cache', daemon.cacheDir, '--port', '0']);
  t.is(second.code, 1);
  t.regex(second.stderr, /Cannot use ".*": another package-cache uses it; stop that one or choose/);
  t.true((await daemon.get(target)).body.equals(body));
  await daemon.kill();
  // The kernel let the lock go with the process.
  await daemon.restart();
  t.true((await daemon.get(target)).body.equals(body));
});

test('without its native helper the cache still belongs to one daemon', async (t) => {
  if (!needs(t, 'flock')) return;
  const node = withoutKoffi;
  const cacheDir = join(await tempDir(t), 'cache');
  const first = launchBare(t, { cacheDir, node });
  await first.port;
  for (const options of [{ cacheDir, node }, { cacheDir }]) {
    const second = await runBare(options);
    t.is(second.code, 1);
    t.regex(second.stderr, /another package-cache uses it/);
  }
  first.signal('SIGKILL');
  await first.exited;
  await t.notThrowsAsync(launchBare(t, { cacheDir, node }).port);
});

test('a file system that gives no locks is told as that, and not as another daemon', async (t) => {
  if (!needs(t, 'strace')) return;
  const cacheDir = join(await tempDir(t), 'cache');
  const fault = ['-e', 'trace=flock', '-e', 'inject=flock:error=ENOLCK'];
  const through = ['strace', '-f', '-qq', '-o', '/dev/null', ...fault];
  const { code, stderr } = await runBare({ cacheDir, through });
  t.is(code, 78);
  const reason = 'its file system gives no locks: ENOLCK';
  t.true(stderr.includes(`Cannot use cache directory "${cacheDir}": ${reason}`), stderr);
});

test('a file system that is mounted read-only is told at start, with the way out', async (t) => {
  if (!needs(t, 'unshare', 'mount')) return;
  const cacheDir = await openDir(t);
  const mount = 'mount -t tmpfs -o ro none "$1" && shift && exec "$@"';
  const through = ['unshare', isRoot ? '-m' : '-rm', 'sh', '-c', mount, 'sh', cacheDir];
  const { code, stderr } = await runBare({ cacheDir, through });
  if (/^(unshare|mount):/.test(stderr) && process.env.CI !== 'true') {
    t.log(`Not tested: ${stderr}`);
    return t.pass();
  }
  t.is(code, 78);
  const reason = 'its file system is mounted read-only; remount it or choose another CACHE_DIR';
  t.true(stderr.includes(`Cannot use cache directory "${cacheDir}": ${reason}`), stderr);
});

/** A cache of which one directory is closed to whom the daemon runs as. */
async function closedCache(t: ExecutionContext, part: string): Promise<string> {
  const cacheDir = join(await openDir(t), 'cache');
  await mkdir(join(cacheDir, part), { recursive: true });
  await chmod(join(cacheDir, part), 0o555);
  return cacheDir;
}

const closed: readonly [part: string, action: string[]][] = [
  ['', []],
  ['.package-cache', ['--check-config']],
  ['.package-cache/partial', ['--check-config']],
  ['.package-cache/meta', ['--check-config']],
];

for (const [part, action] of closed) {
  test(`a cache whose "${part}" is not writable is told by path, user and way out`, async (t) => {
    const cacheDir = await closedCache(t, part);
    const user = isRoot ? { user: 'nobody' } : {};
    const { code, stderr } = await runDaemon(['--cache', cacheDir, ...action], user);
    t.is(code, 78);
    const problem =
      /: user (\S+) \(uid \d+\) may not write there; mend it with: chown -R \1:\S+ '(.*)'$/m;
    t.is(problem.exec(stderr)?.[2], cacheDir, stderr);
  });
}

const asRoot = isRoot ? test : test.skip;

asRoot('a user without a name, as in a container, is told by number', async (t) => {
  const cacheDir = await closedCache(t, '');
  const through = ['setpriv', '--reuid', '54321', '--regid', '54321', '--clear-groups'];
  const { code, stderr } = await runBare({ cacheDir, through });
  t.is(code, 78);
  t.regex(
    stderr,
    /: user 54321 \(uid 54321\) may not write there; mend it with: chown -R 54321:54321 '/,
  );
});
