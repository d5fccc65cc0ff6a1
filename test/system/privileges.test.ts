import { execFileSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { type Daemon, startDaemon } from '../helpers/daemon.ts';
import { bodyOf, startOrigin } from '../helpers/origin.ts';

const body = bodyOf('package', 10_001);
const asRoot = process.getuid?.() === 0 ? test : test.skip;

function id(...args: string[]): string {
  return execFileSync('id', args, { encoding: 'latin1' }).trim();
}

async function identity({ pid }: Daemon): Promise<Record<string, string>> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  const fields = [...status.matchAll(/^(Uid|Gid|Groups):\s*(.*?)\s*$/gm)];
  return Object.fromEntries(fields.map(([, name = '', value = '']) => [name, value]));
}

asRoot('root becomes PC_USER for good, with the group of that user and no other', async (t) => {
  const origin = await startOrigin(t, { files: { '*': { body } } });
  const daemon = await startDaemon(t, {
    sources: [origin.url],
    conf: { PC_USER: 'nobody' },
    user: 'root',
    owner: 'nobody',
  });
  const [uid, gid] = [id('-u', 'nobody'), id('-g', 'nobody')];
  t.deepEqual(await identity(daemon), {
    Uid: Array(4).fill(uid).join('\t'),
    Gid: Array(4).fill(gid).join('\t'),
    Groups: id('-G', 'nobody'),
  });
  const target = '/distfiles/3c/package.tar.xz';
  await daemon.get(target);
  await daemon.logged(/stored/);
  const found = await stat(join(daemon.cacheDir, target));
  t.deepEqual([found.uid, found.gid], [Number(uid), Number(gid)]);
});
