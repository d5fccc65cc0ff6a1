import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { tempDir, writeTree } from '../helpers/files.ts';
import { needs } from '../helpers/programs.ts';
import { guard } from './guard.ts';
import { filesOf, startMirror } from './mirror.ts';
import { addPackage, rpmPrograms, writeMetadata } from './rpm-repository.ts';
import { makeKey, type SigningKey } from './signing.ts';

const programs = ['zypper', 'unshare', ...rpmPrograms];
const repository = 'distribution/leap/15.6/repo/oss';
const download = ['install', '--download-only', 'alpha'];

/** Metadata whose repomd.xml is signed, with the key beside it. */
async function publishSigned(tree: string, key: SigningKey): Promise<void> {
  await writeMetadata(tree, repository);
  const repomd = join(tree, repository, 'repodata/repomd.xml');
  await key.sign(repomd, '.asc');
  await key.exportTo(`${repomd}.key`, true);
}

/** A mirror with a signed package, as `opensuse.repo` wants it. */
async function startRepository(t: ExecutionContext) {
  const key = await makeKey(t);
  const add = (tree: string, version: string) =>
    addPackage(tree, { repository, rpm: { name: 'alpha', version, key } });
  let path = '';
  const mirror = await startMirror(t, {
    snippet: 'opensuse.repo',
    build: async (tree) => {
      path = await add(tree, '1.0');
      await publishSigned(tree, key);
    },
  });
  return { key, add, mirror, path };
}

/** A zypper that sees nothing of this machine's and changes nothing on it. */
async function newZypper(t: ExecutionContext, repositories: string) {
  const home = await tempDir(t);
  await writeTree(home, { 'repos/cache.repo': repositories });
  const places = ['root', 'repos', 'cache'].map((name) => join(home, name));
  const [root = '', repos = '', cache = ''] = places;
  const options = ['--non-interactive', '--gpg-auto-import-keys', '--releasever', '15.6'];
  const at = ['--root', root, '--reposd-dir', repos, '--cache-dir', cache];
  const env = { HOME: home, LC_ALL: 'C.UTF-8', ZYPP_LOGFILE: join(home, 'log') };
  return {
    ...guard('zypper', { options: [...options, ...at], environment: { cwd: home, env } }),
    got: async (path: string) => {
      const file = (await filesOf(cache)).find((found) => basename(found) === basename(path));
      return file === undefined ? undefined : readFile(file);
    },
  };
}

test.serial('zypper refreshes and downloads cold, warm and with the source down', async (t) => {
  if (!needs(t, ...programs)) return;
  const { mirror, path } = await startRepository(t);
  for (const state of ['cold', 'warm', 'down']) {
    if (state === 'down') await mirror.origin.stop();
    const zypper = await newZypper(t, mirror.snippet);
    for (const command of [['refresh'], download]) {
      const { code, stdout, stderr } = await zypper.run(...command);
      t.is(code, 0, `${state}: ${stdout}${stderr}`);
    }
    t.true((await zypper.got(path))?.equals(await readFile(join(mirror.tree, path))), state);
  }
  t.is(mirror.origin.count(path), 1);
});

test.serial(
  'zypper gets a repomd.xml that has changed, and the signature that belongs to it',
  async (t) => {
    if (!needs(t, ...programs)) return;
    const { key, add, mirror } = await startRepository(t);
    const zypper = await newZypper(t, mirror.snippet);
    t.is((await zypper.run('refresh')).code, 0);
    const path = await add(mirror.tree, '2.0');
    await publishSigned(mirror.tree, key);
    await mirror.publish();
    for (const command of [['refresh'], download]) {
      const { code, stdout, stderr } = await zypper.run(...command);
      t.is(code, 0, stdout + stderr);
    }
    t.true((await zypper.got(path))?.equals(await readFile(join(mirror.tree, path))));
  },
);
