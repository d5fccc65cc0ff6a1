import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { tempDir } from '../helpers/files.ts';
import { gate } from '../helpers/origin.ts';
import { needs } from '../helpers/programs.ts';
import { type Dnf, prepareDnf } from './dnf-client.ts';
import { filesOf, interrupt, type Mirror, startMirror } from './mirror.ts';
import { addPackage, rpmPrograms, writeMetadata } from './rpm-repository.ts';
import { makeKey } from './signing.ts';

const dnfPrograms = ['dnf', 'unshare', ...rpmPrograms];

/** The repositories of `fedora.repo`, at its source's place, for release 42. */
const linux = 'pub/fedora/linux';
const repositories = {
  fedora: `${linux}/releases/42/Everything/x86_64/os`,
  updates: `${linux}/updates/42/Everything/x86_64`,
};

const names = ['alpha', 'beta'];
const download = ['install', '--downloadonly'];

/** A mirror with two signed packages, as `fedora.repo` wants it. */
async function startRepository(t: ExecutionContext) {
  const key = await makeKey(t);
  const { fedora, updates } = repositories;
  const paths: string[] = [];
  const mirror = await startMirror(t, {
    snippet: 'fedora.repo',
    build: async (tree) => {
      for (const name of names) {
        const rpm = { name, version: '1.0', key };
        paths.push(await addPackage(tree, { repository: fedora, rpm }));
      }
      for (const repository of [fedora, updates]) await writeMetadata(tree, repository);
    },
  });
  const trusted = join(mirror.directory, 'key.asc');
  await key.exportTo(trusted, true);
  const client = async () =>
    prepareDnf(await tempDir(t), {
      repositories: mirror.snippet.replaceAll(/^gpgkey=.*$/gm, `gpgkey=file://${trusted}`),
    });
  return { key, mirror, paths, client };
}

async function assertGot(t: ExecutionContext, dnf: Dnf, files: readonly string[]) {
  const cached = await filesOf(dnf.cache);
  for (const file of files) {
    const got = cached.find((path) => basename(path) === basename(file));
    t.true(got !== undefined && (await readFile(got)).equals(await readFile(file)), file);
  }
}

const inTree = ({ tree }: Mirror, paths: readonly string[]) =>
  paths.map((path) => join(tree, path));

test.serial('dnf makes its cache and downloads cold, warm and with the source down', async (t) => {
  if (!needs(t, ...dnfPrograms)) return;
  const { mirror, paths, client } = await startRepository(t);
  for (const state of ['cold', 'warm', 'down']) {
    if (state === 'down') await mirror.origin.stop();
    const dnf = await client();
    t.like(await dnf.run('makecache'), { code: 0, stderr: '' }, state);
    t.like(await dnf.run(...download, ...names), { code: 0 }, state);
    await assertGot(t, dnf, inTree(mirror, paths));
  }
  for (const path of paths) t.is(mirror.origin.count(path), 1);
});

test.serial('dnf sees at once that repomd.xml has changed, and takes what is new', async (t) => {
  if (!needs(t, ...dnfPrograms)) return;
  const { key, mirror, client } = await startRepository(t);
  const { tree, origin } = mirror;
  const dnf = await client();
  t.is((await dnf.run('makecache')).code, 0);
  const before = origin.count();
  t.is((await dnf.run('makecache')).code, 0);
  const asked = origin.requests.slice(before).map(({ target }) => basename(target));
  t.deepEqual(asked, ['repomd.xml', 'repomd.xml']);
  const repository = repositories.updates;
  const rpm = { name: 'alpha', version: '2.0', key };
  const path = await addPackage(tree, { repository, rpm });
  await writeMetadata(tree, repository);
  await mirror.publish();
  t.like(await dnf.run('--refresh', ...download, 'alpha'), { code: 0 });
  await assertGot(t, dnf, inTree(mirror, [path]));
});

test.serial('dnf that was killed goes on where it was', async (t) => {
  if (!needs(t, ...dnfPrograms)) return;
  const { mirror, paths, client } = await startRepository(t);
  const dnf = await client();
  await dnf.run('makecache');
  const [path = ''] = paths;
  const files = inTree(mirror, [path]);
  const held = gate();
  const body = await readFile(files[0] ?? '');
  mirror.origin.serve(path, { body, chunks: { gate: held, after: 200_000 } });
  const args = [...dnf.args, ...download, 'alpha'];
  // On Ctrl-C it throws away what it has.
  const part = { below: dnf.cache, name: /alpha.*\.rpm$/, bytes: 100_000 };
  await interrupt(dnf.program, { ...dnf.environment, args, ...part, signal: 'SIGKILL' });
  held.open();
  t.like(await dnf.run(...download, 'alpha'), { code: 0 });
  await assertGot(t, dnf, files);
  t.is(mirror.origin.count(path), 1);
  t.true((await mirror.answers()).some((line) => /alpha\S+ HTTP.* 206 /.test(line)));
});
