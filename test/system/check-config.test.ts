import { execFileSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openDir, runBare } from '../helpers/bare-daemon.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { needs } from '../helpers/programs.ts';

const asRoot = process.getuid?.() === 0 ? test : test.skip;

interface Place {
  readonly folder: string;
  readonly file: string;
}

/** A folder with a configuration in it. */
async function settle(t: ExecutionContext, keys: Record<string, string>): Promise<Place> {
  const folder = await openDir(t);
  const file = join(folder, 'package-cache.conf');
  const all = {
    CACHE_DIR: `${folder}/cache`,
    CONTROL_SOCKET: `${folder}/run/control.sock`,
    ...keys,
  };
  const lines = Object.entries(all).map(
    ([key, value]) => `${key}="${value.replace('~', folder)}"\n`,
  );
  await writeFile(file, lines.join(''));
  return { folder, file };
}

const asNobody = ['setpriv', '--reuid=nobody', '--regid=daemon', '--clear-groups'];

async function check({ file }: Place, through: readonly string[] = [], env = {}) {
  return runBare({ through, env, args: ['--check-config', '--config', file] });
}

test('a check makes nothing that is missing', async (t) => {
  const place = await settle(t, {
    CACHE_DIR: '~/far/away/cache',
    ACCESS_LOG: '~/log/access.log',
    LOG_FILE: '~/package-cache.log',
  });
  const { code, stdout } = await check(place);
  t.like({ code, stdout }, { code: 0, stdout: `${place.file} is right\n` });
  t.deepEqual(await readdir(place.folder), ['package-cache.conf']);
});

test('a check disturbs no daemon that runs on the same cache and port', async (t) => {
  const daemon = await startDaemon(t);
  const args = ['--check-config', '--config', daemon.confFile, '--port', String(daemon.port)];
  const { code, stderr } = await runBare({ args });
  t.like({ code, stderr }, { code: 0, stderr: '' });
  t.is((await daemon.get('/.package-cache/health')).status, 200);
});

asRoot('what root makes before it becomes PC_USER may be missing', async (t) => {
  const place = await settle(t, { PC_USER: 'nobody', ACCESS_LOG: '~/log/access.log' });
  t.like(await check(place), { code: 0, stderr: '' });
  t.deepEqual(await readdir(place.folder), ['package-cache.conf']);
});

asRoot('what nobody can make for the user is told, with the command that does', async (t) => {
  const place = await settle(t, {});
  const { code, stderr } = await check(place, asNobody);
  t.is(code, 78);
  const make = `install -d -o nobody -g daemon '${place.folder}/cache'`;
  t.true(stderr.trimEnd().endsWith(`may not write there; mend it with: ${make}`), stderr);
});

asRoot('what a start would get over is a warning, with the way out', async (t) => {
  const place = await settle(t, {
    PC_USER: 'nobody',
    PC_GROUP: 'daemon',
    LOG_FILE: '~/package-cache.log',
    ACCESS_LOG: '~/access.log',
  });
  await writeFile(`${place.folder}/access.log`, '');
  await mkdir(`${place.folder}/run`, { mode: 0o755 });
  const { code, stderr } = await check(place);
  t.is(code, 0);
  const { folder } = place;
  const denied = `user nobody (uid ${execFileSync('id', ['-u', 'nobody']).toString().trim()}) may not write there; mend it with:`;
  t.deepEqual(stderr.trimEnd().split('\n'), [
    `package-cache: warning: Cannot write log "${folder}/package-cache.log": ${denied} install -m 640 -o nobody -g daemon /dev/null '${folder}/package-cache.log'`,
    `package-cache: warning: Cannot write access log "${folder}/access.log": ${denied} chown nobody:daemon '${folder}/access.log'`,
    `package-cache: warning: Cannot make the control socket in "${folder}/run": ${denied} chown nobody:daemon '${folder}/run'`,
  ]);
});

asRoot('another user than PC_USER is told what is not checked', async (t) => {
  const place = await settle(t, { PC_USER: 'daemon' });
  const { code, stderr } = await check(place, asNobody);
  t.is(code, 0);
  const line =
    'CACHE_DIR, MANIFESTS and the logs are not checked: only root can do that as PC_USER "daemon"';
  t.is(stderr, `package-cache: warning: ${line}\n`);
});

test('certificates that cannot be read are an error', async (t) => {
  const { code, stderr } = await check(await settle(t, { CA_FILE: '~/no.pem' }));
  t.is(code, 78);
  t.regex(stderr, /^package-cache: Cannot read ".*\/no\.pem": CA_FILE: ENOENT/);
});

asRoot('a user that does not exist is an error', async (t) => {
  const { code, stderr } = await check(await settle(t, { PC_USER: 'nosuch' }));
  t.is(code, 78);
  t.regex(stderr, /Cannot become user "nosuch": is there such a user and group\?/);
});

asRoot(
  'a read-only file system is an error, whose way out under systemd is ReadWritePaths=',
  async (t) => {
    if (!needs(t, 'unshare', 'mount')) return;
    const place = await settle(t, {});
    const cache = `${place.folder}/cache`;
    await mkdir(cache);
    const mount = 'mount -t tmpfs -o ro none "$1" && shift && exec "$@"';
    const through = ['unshare', '-m', 'sh', '-c', mount, 'sh', cache];
    const plain = await check(place, through);
    t.is(plain.code, 78);
    t.regex(plain.stderr, /mounted read-only; remount it or choose another CACHE_DIR$/m);
    const { code, stderr } = await check(place, through, { INVOCATION_ID: '0123' });
    t.is(code, 78);
    const way = `let the unit write there with ReadWritePaths=${cache} (systemctl edit)`;
    t.true(stderr.includes(`mounted read-only; ${way}, remount it or choose another`), stderr);
  },
);
