import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { type Answer, bodyOf, gate } from '../helpers/origin.ts';
import { run } from '../helpers/process.ts';
import { needs } from '../helpers/programs.ts';
import { clientEnvironment, wget } from './fetchers.ts';
import { startSnippet } from './mirror.ts';

const binhost = 'releases/amd64/binpackages/23.0/x86-64';
const began = 1_767_225_600;

/** An index, written some seconds after the time that it gives itself. */
function indexOf(timestamp: number): Answer & { body: string } {
  const body = `ARCH: amd64\nTIMESTAMP: ${timestamp}\nVERSION: 0\n\nCPV: app-misc/tiny-1.0\n`;
  return { body, lastModified: new Date((timestamp + 3) * 1000) };
}

const packed = (answer: Answer & { body: string }) => ({ ...answer, body: gzipSync(answer.body) });

/** A daemon as `gentoo-binrepos.conf` wants it, and Portage's way of asking for the index. */
async function startBinhost(t: ExecutionContext) {
  const scene = await startSnippet(t, { snippet: 'gentoo-binrepos.conf' });
  const uri = /^sync-uri = (\S+)$/m.exec(scene.snippet)?.[1] ?? '';
  t.true(uri.endsWith(binhost));
  const { directory } = scene;
  const kept = join(directory, 'Packages');
  const ask = async () => {
    const args = [join(import.meta.dirname, 'binhost.py'), uri, kept];
    const { stdout, stderr } = await run('python3', { args, ...clientEnvironment(directory) });
    return stdout.trim() || stderr;
  };
  const indexIs = async ({ body }: { body: string }) => t.is(await readFile(kept, 'utf8'), body);
  return { scene, uri, kept, ask, indexIs };
}

test.serial(
  'the index of a binhost comes cold, warm, changed and with the source down',
  async (t) => {
    if (!needs(t, 'python3')) return;
    const { scene, kept, ask, indexIs } = await startBinhost(t);
    const { origin } = scene;
    const [first, second] = [indexOf(began), indexOf(began + 3600)];
    origin.serve(`${binhost}/Packages.gz`, packed(first));
    t.is(await ask(), 'Packages.gz', 'cold');
    await indexIs(first);
    t.is(await ask(), 'up-to-date', 'its own time, five seconds on');
    origin.serve(`${binhost}/Packages.gz`, packed(second));
    t.is(await ask(), 'Packages.gz', 'changed');
    await indexIs(second);
    await origin.stop();
    t.is(await ask(), 'up-to-date', 'down');
    await rm(kept);
    t.is(await ask(), 'Packages.gz', 'another client, down');
    await indexIs(second);
  },
);

test.serial('a binhost without Packages.gz is asked for Packages', async (t) => {
  if (!needs(t, 'python3')) return;
  const { scene, ask, indexIs } = await startBinhost(t);
  const { origin } = scene;
  const index = indexOf(began);
  origin.serve(`${binhost}/Packages`, index);
  t.is(await ask(), 'Packages');
  await indexIs(index);
});

test.serial('a binhost that fails is not taken for one without Packages.gz', async (t) => {
  if (!needs(t, 'python3')) return;
  const { scene, ask } = await startBinhost(t);
  const { origin } = scene;
  origin.serve(`${binhost}/Packages.gz`, { status: 503 });
  t.is(await ask(), '502');
  t.is(origin.count(`${binhost}/Packages`), 0);
});

test.serial(
  'Packages.gz comes as it is, whatever Content-Encoding the source gives it',
  async (t) => {
    if (!needs(t, 'python3')) return;
    const { scene, ask, indexIs } = await startBinhost(t);
    const index = indexOf(began);
    scene.origin.serve(`${binhost}/Packages.gz`, { ...packed(index), encoding: 'gzip' });
    t.is(await ask(), 'Packages.gz');
    await indexIs(index);
  },
);

test.serial('a source that hangs keeps nobody waiting for an index that is stored', async (t) => {
  if (!needs(t, 'python3')) return;
  const { scene, kept, ask, indexIs } = await startBinhost(t);
  const { origin } = scene;
  const index = indexOf(began);
  origin.serve(`${binhost}/Packages.gz`, packed(index));
  t.is(await ask(), 'Packages.gz');
  const held = gate();
  t.teardown(held.open);
  origin.serve(`${binhost}/Packages.gz`, { ...packed(index), delayHead: held });
  t.is(await ask(), 'up-to-date');
  await rm(kept);
  t.is(await ask(), 'Packages.gz');
  await indexIs(index);
});

test.serial('a binary package that was built again under its name is got anew', async (t) => {
  if (!needs(t, 'wget')) return;
  const { scene, uri } = await startBinhost(t);
  for (const build of ['one', 'another']) {
    const body = bodyOf(build, 50_000);
    const lastModified = new Date(Date.now() + (build === 'one' ? -3_600_000 : 0));
    scene.origin.serve(`${binhost}/app-misc/tiny/tiny-1.0-1.gpkg.tar`, { body, lastModified });
    const file = join(scene.directory, `${build}.gpkg.tar.partial`);
    const url = `${uri}/app-misc/tiny/tiny-1.0-1.gpkg.tar`;
    const { program, args } = wget({ url, file, resume: false });
    t.is((await run(program, { args, ...clientEnvironment(scene.directory) })).code, 0);
    t.true((await readFile(file)).equals(body), build);
    // Whoever asks before that shares the download.
    await scene.daemon.logged(/stored .*gpkg/);
  }
});
