import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { tempDir } from '../helpers/files.ts';
import { root, run } from '../helpers/process.ts';
import { needs } from '../helpers/programs.ts';

const scripts = [
  'contrib/install',
  'contrib/openrc/package-cache',
  'test/service/host/boot',
  'test/service/host/prepare-openrc',
  'test/service/host/prepare-systemd',
];

test('the scripts are POSIX sh, as checkbashisms sees it', async (t) => {
  if (!needs(t, 'checkbashisms')) return;
  t.like(await run('checkbashisms', { args: ['--force', ...scripts] }), { code: 0, stderr: '' });
});

test('shellcheck finds nothing in the scripts', async (t) => {
  if (!needs(t, 'shellcheck')) return;
  t.like(await run('shellcheck', { args: scripts }), { code: 0, stdout: '' });
});

test('the unit of the instances is that of the service, with the names of the instance', async (t) => {
  const read = (name: string) => readFile(join(root, 'contrib/systemd', name), 'utf8');
  const settings = (text: string) => text.split('\n').filter((line) => /^[^#]/.test(line));
  const expected = settings(await read('package-cache.service')).map((line) =>
    line
      .replace(/(Description=Package cache)$/, '$1 %i')
      .replace(
        /(\/etc\/conf\.d\/package-cache|\/run\/package-cache|Directory=package-cache)\b/,
        '$1.%i',
      ),
  );
  t.deepEqual(settings(await read('package-cache@.service')), expected);
});

test('what is installed below DESTDIR can be uninstalled, but for the configuration', async (t) => {
  if (!needs(t, 'find')) return;
  const DESTDIR = await tempDir(t);
  const env = { DESTDIR, PREFIX: '/usr', NODE: process.execPath };
  const install = (...args: string[]) => run(join(root, 'contrib/install'), { args, env });
  const found = async () =>
    (await run('find', { args: ['.', '-not', '-type', 'd'], cwd: DESTDIR })).stdout.split('\n');
  t.like(await install('--openrc', '--systemd'), { code: 0, stdout: '', stderr: '' });
  const files = await found();
  for (const path of [
    './usr/bin/package-cache',
    './usr/bin/package-cache-ctl',
    './usr/lib/systemd/system/package-cache.socket',
    './usr/share/man/man5/package-cache.conf.5',
    './etc/init.d/package-cache',
    './etc/logrotate.d/package-cache',
  ]) {
    t.true(files.includes(path), path);
  }
  const { stdout } = await run('find', {
    args: ['.', '-perm', '/022', '!', '-type', 'l'],
    cwd: DESTDIR,
  });
  t.is(stdout, '');
  // The second time is an upgrade.
  t.like(await install('--openrc', '--systemd'), { code: 0, stderr: '' });
  t.deepEqual(await found(), files);
  t.like(await install('uninstall'), { code: 0, stderr: '' });
  t.deepEqual(await found(), ['./etc/conf.d/package-cache', '']);
});

test('install refuses a Node.js that is too old, and says how to name another', async (t) => {
  const DESTDIR = await tempDir(t);
  const { code, stderr } = await run(join(root, 'contrib/install'), {
    args: [],
    env: { DESTDIR, NODE: join(import.meta.dirname, 'old-node') },
  });
  t.is(code, 1);
  t.regex(stderr, /Node\.js is too old.*24\.12.*NODE=/);
});
