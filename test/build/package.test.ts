import { readFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { request } from '../helpers/client.ts';
import { startDaemon, tempDir } from '../helpers/daemon.ts';
import { bodyOf, startOrigin } from '../helpers/origin.ts';
import { root, run } from '../helpers/process.ts';
import { distLine, plantRepository } from '../helpers/repository.ts';
import { share } from '../helpers/share.ts';
import { copyCheckout, nodeAlone, npm, pack, succeeded, unpack } from './package.ts';

const scene = share(test, async (t) => {
  const tarball = await pack(await copyCheckout(t));
  return { tarball, directory: await unpack(t, tarball), PATH: await nodeAlone(t) };
});

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

async function below(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(directory.length + 1));
}

test('the tarball holds what an installation lays out, and nothing that only we need', async (t) => {
  const { directory } = scene();
  const files = await below(directory);
  const pages = (await readdir(join(root, 'contrib/man'))).map((page) => `contrib/man/${page}`);
  const wanted = ['LICENSE', 'README.md', 'CHANGELOG.md', 'etc/conf.d/package-cache', ...pages];
  t.deepEqual(
    [...wanted, 'build/THIRD-PARTY.txt'].filter((file) => !files.includes(file)),
    [],
  );
  t.deepEqual(
    files.filter((file) => /\.ts$|\.map$|^test\/|^contrib\/build\/|^\.|node_modules/.test(file)),
    [],
  );
  const manifest = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'));
  t.deepEqual([manifest.dependencies, manifest.optionalDependencies], [undefined, undefined]);
  for (const [name, file] of Object.entries<string>(manifest.bin)) {
    t.is(file, `build/${name}.js`);
    t.is((await stat(join(directory, file))).mode & 0o777, 0o755);
  }
});

test('both programs run with Node alone, and a package comes through', async (t) => {
  const { directory, PATH } = scene();
  const env = { PATH };
  const ctl = join(directory, 'build/package-cache-ctl.js');
  const program = join(directory, 'build/package-cache.js');
  t.is(succeeded(await run(program, { args: ['--version'], env })), `package-cache ${version}\n`);
  const body = bodyOf('package', 300_000);
  const origin = await startOrigin(t, { files: { '/distfiles/ab/a.tar.xz': body } });
  const MANIFESTS = join(await tempDir(t), 'gentoo');
  plantRepository(MANIFESTS, { 'a/a': [distLine('other.tar.xz')] });
  const daemon = await startDaemon(t, { sources: [origin.url], program, env, conf: { MANIFESTS } });
  // Who reads them is a thread, whose file the daemon has to find beside itself.
  await daemon.logged(/Manifests: 1 digest of 1 file/);
  const miss = await daemon.get('/distfiles/ab/a.tar.xz');
  t.true(miss.body.equals(body));
  await daemon.logged(/stored "distfiles\/ab\/a\.tar\.xz"/);
  const hit = await daemon.get('/distfiles/ab/a.tar.xz');
  t.true(hit.body.equals(body));
  t.is(hit.header('cache-status'), 'package-cache; hit');
  t.is(origin.requests[0]?.headerOf('user-agent'), `package-cache/${version}`);
  const ask = async (...args: string[]) =>
    succeeded(await run(ctl, { args: ['--socket', daemon.controlSocket, ...args], env }));
  t.regex(await ask('--version'), new RegExp(`^package-cache-ctl ${version},.*\\n.*${version},`));
  // What lists and culls is another one.
  t.regex(await ask('ls'), /distfiles\/ab\/a\.tar\.xz/);
  t.regex(await ask('cull', '--older-than', '0s', '--dry-run'), /distfiles\/ab\/a\.tar\.xz/);
});

test('the kernel lock needs no program: koffi is in the tarball', async (t) => {
  const { directory, PATH } = scene();
  const program = join(directory, 'build/package-cache.js');
  const daemon = await startDaemon(t, { program, env: { PATH } });
  const args = ['--cache', daemon.cacheDir, '--port', '0'];
  const second = await run(program, { args, env: { PATH } });
  t.is(second.code, 1);
  t.regex(second.stderr, /another package-cache uses it/);
});

test('npm installs it for all without a registry, and the two commands run', async (t) => {
  const { tarball } = scene();
  const directory = await tempDir(t);
  succeeded(await npm(directory, ['install', '--global', '--prefix', directory, tarball]));
  const env = { PATH: await nodeAlone(t) };
  for (const name of ['package-cache', 'package-cache-ctl']) {
    const { stdout } = await run(join(directory, 'bin', name), { args: ['--version'], env });
    t.true(stdout.startsWith(`${name} ${version}`), stdout);
  }
  const program = join(directory, 'bin/package-cache');
  const daemon = await startDaemon(t, { program, env });
  const health = await request({ port: daemon.port, target: '/.package-cache/health' });
  t.is(health.status, 200);
});

test('what is bundled comes with its licence', async (t) => {
  const text = await readFile(join(scene().directory, 'build/THIRD-PARTY.txt'), 'utf8');
  // A package that is in no import of ours, but inside the bundle of one that another needs.
  for (const name of ['ini', 'koffi', 'picomatch', 'undici', 'winston', 'ws', 'color-name']) {
    const start = text.indexOf(`\n${name} `);
    t.not(start, -1, name);
    t.regex(text.slice(start, start + 300), /\((?:MIT|ISC)\)\n\n[^-]*(?:Copyright|License)/i);
  }
});

test('the same sources give the same bytes, wherever they lie', async (t) => {
  const again = await pack(await copyCheckout(t));
  t.true((await readFile(again)).equals(await readFile(scene().tarball)));
});
