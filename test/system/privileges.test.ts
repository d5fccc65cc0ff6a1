import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { launchBare, openDir, runBare } from '../helpers/bare-daemon.ts';
import { request } from '../helpers/client.ts';
import { bodyOf, startOrigin } from '../helpers/origin.ts';
import { linesThrough } from '../helpers/watching.ts';

const body = bodyOf('package', 10_001);
const target = '/distfiles/3c/package.tar.xz';
const asRoot = process.getuid?.() === 0 ? test : test.skip;

function id(...args: string[]): string {
  return execFileSync('id', args, { encoding: 'latin1' }).trim();
}

interface Place {
  readonly file: string;
  readonly cacheDir: string;
}

/** A configuration of root's, and a cache that belongs to nobody. */
async function settle(t: ExecutionContext, lines: readonly string[]): Promise<Place> {
  const folder = await openDir(t);
  const [cacheDir, file] = [join(folder, 'cache'), join(folder, 'package-cache.conf')];
  execFileSync('install', ['-d', '-o', 'nobody', cacheDir]);
  const own = [`CACHE_DIR="${cacheDir}"`, `CONTROL_SOCKET="${cacheDir}/control.sock"`];
  await writeFile(file, `${[...own, ...lines].join('\n')}\n`);
  return { file, cacheDir };
}

/** Real, effective, saved and file-system ids, and the groups besides: of a process or a thread. */
async function identityOf(task: number | string): Promise<Record<string, string>> {
  const status = await readFile(`/proc/${task}/status`, 'latin1');
  const fields = status.matchAll(/^(Uid|Gid|Groups|CapEff|CapPrm):\s*(.*?)\s*$/gm);
  return Object.fromEntries([...fields].map(([, name = '', value = '']) => [name, value]));
}

asRoot('root becomes PC_USER for good, with the groups of that user and no other', async (t) => {
  const origin = await startOrigin(t, { files: { '*': { body } } });
  const { file, cacheDir } = await settle(t, ['PC_USER="nobody"', `SOURCES="${origin.url}"`]);
  const daemon = launchBare(t, { args: ['--config', file] });
  const port = await daemon.port;
  const [uid, gid] = [id('-u', 'nobody'), id('-g', 'nobody')];
  t.deepEqual(await identityOf(daemon.pid), {
    Uid: Array(4).fill(uid).join('\t'),
    Gid: Array(4).fill(gid).join('\t'),
    Groups: id('-G', 'nobody'),
    CapPrm: '0'.repeat(16),
    CapEff: '0'.repeat(16),
  });
  t.false(daemon.log.lines().some((line) => line.includes('root')));
  await request({ port, target });
  await daemon.log.find(/stored/);
  const found = await stat(join(cacheDir, target));
  t.deepEqual([found.uid, found.gid], [Number(uid), Number(gid)]);
});

asRoot('PC_GROUP becomes the group of the daemon', async (t) => {
  const { file } = await settle(t, ['PC_USER="nobody"', 'PC_GROUP="daemon"']);
  const daemon = launchBare(t, { args: ['--config', file] });
  await daemon.port;
  const gid = execFileSync('getent', ['group', 'daemon'], { encoding: 'latin1' }).split(':')[2];
  t.is((await identityOf(daemon.pid)).Gid, Array(4).fill(gid).join('\t'));
});

asRoot('what is missing is made for PC_USER, and only the last directory of a path', async (t) => {
  const folder = await openDir(t);
  const [cache, run, logs] = ['a/cache', 'b/run', 'c/log'].map((path) => join(folder, path));
  const file = join(folder, 'package-cache.conf');
  await writeFile(
    file,
    `PC_USER="nobody"\nPC_GROUP="daemon"\nCACHE_DIR="${cache}"\n` +
      `CONTROL_SOCKET="${run}/control.sock"\nACCESS_LOG="${logs}/access.log"\n`,
  );
  const daemon = launchBare(t, { args: ['--config', file] });
  await daemon.port;
  const owner = [Number(id('-u', 'nobody')), Number(id('-g', 'daemon')), 0o755];
  for (const path of [cache, run, logs]) {
    const made = await stat(path ?? '');
    t.deepEqual([made.uid, made.gid, made.mode & 0o777], owner, path);
    t.is((await stat(join(path ?? '', '..'))).uid, 0);
  }
  t.true((await stat(join(run ?? '', 'control.sock'))).isSocket());
});

asRoot('every thread has dropped its privileges, those that came later too', async (t) => {
  const origin = await startOrigin(t, { files: { '*': { body } } });
  const { file } = await settle(t, ['PC_USER="nobody"', `SOURCES="${origin.url}"`]);
  const daemon = launchBare(t, { args: ['--config', file] });
  const port = await daemon.port;
  await request({ port, target });
  await daemon.log.find(/stored/);
  const own = await identityOf(daemon.pid);
  const threads = await readdir(`/proc/${daemon.pid}/task`);
  t.true(threads.length > 4);
  for (const thread of threads) {
    t.deepEqual(await identityOf(`${daemon.pid}/task/${thread}`), own);
  }
});

asRoot('numbers do as well as names, and need no account', async (t) => {
  const { file, cacheDir } = await settle(t, ['PC_USER="54321"', 'PC_GROUP="54322"']);
  execFileSync('chown', ['54321', cacheDir]);
  const daemon = launchBare(t, { args: ['--config', file] });
  await daemon.port;
  t.like(await identityOf(daemon.pid), {
    Uid: Array(4).fill('54321').join('\t'),
    Gid: Array(4).fill('54322').join('\t'),
    Groups: '54322',
  });
});

/** An address of this machine that no other test has. */
function ownAddress(): string {
  return `127.${randomInt(1, 255)}.${randomInt(256)}.${randomInt(1, 255)}`;
}

/** What the daemon at an address says of its health. */
async function healthAt(host: string): Promise<string> {
  const socket = connect(80, host);
  socket.end('GET /.package-cache/health HTTP/1.0\r\n\r\n');
  return text(socket);
}

asRoot('a port below 1024 is bound before root becomes PC_USER', async (t) => {
  const host = ownAddress();
  const { file } = await settle(t, ['PC_USER="nobody"']);
  const daemon = launchBare(t, { args: ['--config', file, '--host', host, '--port', '80'] });
  await daemon.port;
  t.not((await identityOf(daemon.pid)).Uid?.split('\t')[0], '0');
  t.regex(await healthAt(host), /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok\n$/);
});

for (const [how, capabilities] of [
  ['CAP_NET_BIND_SERVICE', ['--inh-caps=+net_bind_service', '--ambient-caps=+net_bind_service']],
  ['no right to it', []],
] as const) {
  asRoot(`a port below 1024 as another user with ${how}`, async (t) => {
    const host = ownAddress();
    const { cacheDir } = await settle(t, []);
    const user = ['setpriv', '--reuid=nobody', '--regid=daemon', '--clear-groups'];
    const options = { cacheDir, through: [...user, ...capabilities] };
    const args = ['--host', host, '--port', '80'];
    if (capabilities.length > 0) {
      await launchBare(t, { ...options, args }).port;
      t.regex(await healthAt(host), /^HTTP\/1\.1 200 OK\r\n/);
      return;
    }
    const { code, stderr } = await runBare({ ...options, args });
    t.is(code, 78, stderr);
    const way = 'a start as root with PC_USER, or CAP_NET_BIND_SERVICE; choose another PORT';
    t.true(
      stderr.includes(`Cannot listen on "${host}:80": a port below 1024 takes ${way}`),
      stderr,
    );
  });
}

asRoot(
  'a cache that is not of PC_USER is told by path, uid and the command that mends it',
  async (t) => {
    const { file, cacheDir } = await settle(t, ['PC_USER="nobody"']);
    execFileSync('chown', ['-R', 'root:root', cacheDir]);
    const [uid, group] = [id('-u', 'nobody'), id('-gn', 'nobody')];
    for (const args of [
      ['--config', file],
      ['--check-config', '--config', file],
    ]) {
      const { code, stderr } = await runBare({ args });
      t.is(code, 78);
      t.is(
        stderr.trimEnd(),
        `package-cache: Cannot use cache directory "${cacheDir}": user nobody (uid ${uid}) may not ` +
          `write there; mend it with: chown -R nobody:${group} '${cacheDir}'`,
      );
    }
    execFileSync('chown', ['-R', `nobody:${group}`, cacheDir]);
    t.is((await runBare({ args: ['--check-config', '--config', file] })).code, 0);
  },
);

asRoot('a control socket that PC_USER cannot have is told with the way out', async (t) => {
  const folder = await openDir(t);
  const ways = [
    [`${folder}/control.sock`, /mend it with: chown nobody:\S+ '/],
    ['/run/package-cache-test.sock', /nobody but root may write to \/run; name a directory of/],
  ] as const;
  for (const [path, way] of ways) {
    const { file } = await settle(t, ['PC_USER="nobody"']);
    const conf = await readFile(file, 'utf8');
    await writeFile(file, conf.replace(/CONTROL_SOCKET=.*/, `CONTROL_SOCKET="${path}"`));
    const daemon = launchBare(t, { args: ['--config', file] });
    t.regex(await daemon.log.find(/no control socket: Cannot listen on/), way);
    await daemon.port;
  }
});

asRoot('a directory on the way that PC_USER may not enter is the one that is told', async (t) => {
  const { file, cacheDir } = await settle(t, ['PC_USER="nobody"']);
  const closed = join(cacheDir, '..');
  execFileSync('chmod', ['700', closed]);
  const { code, stderr } = await runBare({ args: ['--config', file] });
  t.is(code, 78);
  t.true(
    stderr.trimEnd().endsWith(`may not enter '${closed}'; mend it with: chmod o+x '${closed}'`),
    stderr,
  );
});

asRoot('a cache of the right owner with a wrong mode wants another mode', async (t) => {
  const { file, cacheDir } = await settle(t, ['PC_USER="nobody"']);
  execFileSync('chmod', ['500', cacheDir]);
  const { code, stderr } = await runBare({ args: ['--config', file] });
  t.is(code, 78);
  t.true(stderr.trimEnd().endsWith(`mend it with: chmod -R u+rwX '${cacheDir}'`), stderr);
});

asRoot(
  'a configuration that PC_USER may not read is told before a reload fails of it',
  async (t) => {
    const { file } = await settle(t, ['PC_USER="nobody"']);
    execFileSync('chmod', ['600', file]);
    const doubt = `Cannot reload "${file}" later: the user that the daemon becomes may not read it`;
    const { code, stderr } = await runBare({ args: ['--check-config', '--config', file] });
    t.is(code, 0);
    t.is(stderr, `package-cache: warning: ${doubt}\n`);
    const daemon = launchBare(t, { args: ['--config', file] });
    await daemon.port;
    t.true(daemon.log.lines().some((line) => line.endsWith(`warn: ${doubt}`)));
  },
);

asRoot('the logs are of PC_USER, who opens them again after they were moved away', async (t) => {
  const folder = await openDir(t);
  const logs = join(folder, 'log');
  execFileSync('install', ['-d', '-o', 'nobody', logs]);
  const { file } = await settle(t, [
    'PC_USER="nobody"',
    `LOG_FILE="${logs}/package-cache.log"`,
    `ACCESS_LOG="${logs}/access.log"`,
  ]);
  const daemon = launchBare(t, { args: ['--config', file] });
  await linesThrough(`${logs}/package-cache.log`, /listening on/);
  for (const name of ['package-cache.log', 'access.log']) {
    await rename(join(logs, name), join(logs, `${name}.1`));
  }
  daemon.signal('SIGHUP');
  await linesThrough(`${logs}/package-cache.log`, /reloaded/);
  const uid = Number(id('-u', 'nobody'));
  for (const name of ['package-cache.log', 'access.log']) {
    const { uid: owner, mode } = await stat(join(logs, name));
    t.deepEqual([owner, mode & 0o777], [uid, 0o640]);
  }
});

asRoot('a user or a group that does not exist is told, and nothing is started', async (t) => {
  for (const lines of [['PC_USER="nosuch"'], ['PC_USER="nobody"', 'PC_GROUP="nosuch"']]) {
    const { file } = await settle(t, lines);
    const { code, stderr } = await runBare({ args: ['--config', file] });
    t.is(code, 78, stderr);
    t.regex(
      stderr,
      /^package-cache: Cannot become user "no\w+": is there such a user and group\? /,
    );
    t.regex(stderr, /nosuch/);
  }
});

asRoot('root without PC_USER runs on, and is warned once', async (t) => {
  const { file } = await settle(t, []);
  const daemon = launchBare(t, { args: ['--config', file] });
  await daemon.port;
  const warnings = daemon.log.lines().filter((line) => line.includes('root'));
  t.is(warnings.length, 1);
  t.regex(warnings[0] ?? '', /warn: running as root; set PC_USER to run as another user$/);
});
