import { execFileSync } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { launchBare, openDir, runBare } from '../helpers/bare-daemon.ts';
import { request } from '../helpers/client.ts';
import { bodyOf, startOrigin } from '../helpers/origin.ts';

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

/** Real, effective, saved and file-system ids, and the groups besides. */
async function identityOf(pid: number): Promise<Record<string, string>> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  const fields = status.matchAll(/^(Uid|Gid|Groups):\s*(.*?)\s*$/gm);
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
