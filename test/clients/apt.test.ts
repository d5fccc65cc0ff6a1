import { readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { tempDir } from '../helpers/files.ts';
import { gate } from '../helpers/origin.ts';
import { needs } from '../helpers/programs.ts';
import { type Apt, addPackage, aptPrograms, prepareApt, writeSuite } from './apt-repository.ts';
import { interrupt, type Mirror, readSnippet, startMirror } from './mirror.ts';
import { makeKey } from './signing.ts';

const names = ['alpha', 'beta', 'delta', 'epsilon', 'gamma'];
const download = ['install', '-y', '--download-only'];

/** A signed mirror as `debian.sources` wants it, five packages, and apts that know its key. */
async function startArchive(t: ExecutionContext, snippet = 'debian.sources') {
  const key = await makeKey(t);
  const paths: string[] = [];
  const mirror = await startMirror(t, {
    snippet,
    build: async (tree) => {
      const archive = join(tree, 'debian');
      for (const name of names) paths.push(await addPackage(archive, { name, version: '1.0' }));
      for (const name of ['trixie', 'trixie-updates']) await writeSuite(archive, { name, key });
      await writeSuite(join(tree, 'debian-security'), { name: 'trixie-security', key });
    },
  });
  const keyring = join(mirror.directory, 'keyring.gpg');
  await key.exportTo(keyring);
  const withKey = (sources: string) =>
    sources.replaceAll(/^Signed-By: .*$/gm, `Signed-By: ${keyring}`);
  return { key, paths, mirror, withKey };
}

async function newApt(t: ExecutionContext, sources: string, conf?: string): Promise<Apt> {
  return prepareApt(await tempDir(t), { sources, ...(conf === undefined ? {} : { conf }) });
}

async function assertGot(t: ExecutionContext, apt: Apt, files: readonly string[]): Promise<void> {
  for (const file of files) {
    t.true((await readFile(join(apt.archives, basename(file)))).equals(await readFile(file)), file);
  }
}

const inTree = ({ tree }: Mirror, paths: readonly string[]) =>
  paths.map((path) => join(tree, 'debian', path));

test.serial('apt updates and downloads cold, warm and with the source down', async (t) => {
  if (!needs(t, ...aptPrograms)) return;
  const { paths, mirror, withKey } = await startArchive(t);
  const { origin, snippet } = mirror;
  for (const state of ['cold', 'warm', 'down']) {
    if (state === 'down') await origin.stop();
    const apt = await newApt(t, withKey(snippet));
    t.like(await apt.run('update'), { code: 0, stderr: '' }, state);
    t.like(await apt.run(...download, ...names), { code: 0, stderr: '' }, state);
    await assertGot(t, apt, inTree(mirror, paths));
  }
  for (const path of paths) t.is(origin.count(`/debian/${path}`), 1);
  const indexes = origin.requests.filter(({ target }) => target.includes('Packages'));
  t.deepEqual(indexes, []);
  t.is(origin.requests.filter(({ target }) => target.includes('/by-hash/')).length, 2);
});

test.serial('apt is told when nothing is new, and sees at once what is', async (t) => {
  if (!needs(t, ...aptPrograms)) return;
  const { key, mirror, withKey } = await startArchive(t);
  const apt = await newApt(t, withKey(mirror.snippet));
  t.is((await apt.run('update')).code, 0);
  t.regex((await apt.run('update')).stdout, /^Hit:\d+ \S+ trixie InRelease$/m);
  const archive = join(mirror.tree, 'debian');
  const added = await addPackage(archive, { name: 'alpha', version: '2.0' });
  await writeSuite(archive, { name: 'trixie', key });
  await mirror.publish();
  t.like(await apt.run('update'), { code: 0, stderr: '' });
  t.like(await apt.run(...download, 'alpha'), { code: 0 });
  await assertGot(t, apt, inTree(mirror, [added]));
});

test.serial(
  'apt that was interrupted goes on where it was, as does one on a cold cache',
  async (t) => {
    if (!needs(t, ...aptPrograms)) return;
    const { paths, mirror, withKey } = await startArchive(t);
    const { origin } = mirror;
    const apt = await newApt(t, withKey(mirror.snippet));
    await apt.run('update');
    const [path = ''] = paths;
    const [file = ''] = inTree(mirror, paths);
    const body = await readFile(file);
    const held = gate();
    origin.serve(`/debian/${path}`, { body, chunks: { gate: held, after: 200_000 } });
    const below = join(apt.archives, 'partial');
    const args = [...download, 'alpha'];
    await interrupt('apt-get', { ...apt.environment, args, below, name: /alpha/, bytes: 100_000 });
    held.open();
    t.like(await apt.run(...args), { code: 0, stderr: '' });
    await assertGot(t, apt, [file]);
    t.is(origin.count(`/debian/${path}`), 1);

    // What another mirror began: the same bytes and the same time.
    const [, other = ''] = inTree(mirror, paths);
    const partial = join(below, basename(other));
    await writeFile(partial, (await readFile(other)).subarray(0, 100_000));
    const { mtime } = await stat(other);
    await utimes(partial, mtime, mtime);
    t.like(await apt.run(...download, 'beta'), { code: 0, stderr: '' });
    await assertGot(t, apt, [other]);
    const resumed = (await mirror.answers()).filter((line) => / 206 /.test(line));
    t.deepEqual(
      resumed.map((line) => /pool\S+/.exec(line)?.[0]),
      paths.slice(0, 2),
    );
  },
);

test.serial('apt pipelines, and gets its packages in the order in which it asked', async (t) => {
  if (!needs(t, ...aptPrograms)) return;
  const { paths, mirror, withKey } = await startArchive(t);
  const { origin } = mirror;
  const apt = await newApt(t, withKey(mirror.snippet));
  await apt.run('update');
  const files = inTree(mirror, paths);
  const held = gate();
  // apt has one request answered before it trusts a server with several.
  const [, path, ...later] = paths;
  const body = await readFile(files[1] ?? '');
  origin.serve(`/debian/${path}`, { body, chunks: { gate: held } });
  const all = apt.run(...download, ...names);
  await held.reached;
  for (const asked of later) await origin.arrived(`/debian/${asked}`);
  held.open();
  t.like(await all, { code: 0, stderr: '' });
  await assertGot(t, apt, files);
});

test.serial('apt with its sources as they were and the daemon as their proxy', async (t) => {
  if (!needs(t, ...aptPrograms)) return;
  const { paths, mirror, withKey } = await startArchive(t, 'debian-proxy.conf');
  const { origin, snippet } = mirror;
  const own = (await readSnippet('debian.sources'))
    .replaceAll('http://cache:4000/', origin.url)
    .replace('/debian_security', '/debian-security');
  for (const state of ['cold', 'warm']) {
    const apt = await newApt(t, withKey(own), snippet);
    t.like(await apt.run('update'), { code: 0, stderr: '' }, state);
    t.like(await apt.run(...download, ...names), { code: 0, stderr: '' }, state);
    await assertGot(t, apt, inTree(mirror, paths));
  }
  for (const path of paths) t.is(origin.count(`/debian/${path}`), 1);
  t.true(origin.requests.every((request) => request.headerOf('via')?.includes('package-cache')));
});
