import { mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { startDaemon, tempDir } from '../helpers/daemon.ts';
import { startOrigin } from '../helpers/origin.ts';
import { needs } from '../helpers/programs.ts';
import {
  addPackage,
  aptPrograms,
  prepareApt,
  serveArchive,
  writeIndexes,
} from './apt-repository.ts';

const names = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'];

/** A mirror with five packages, and a daemon that serves it below /debian/. */
async function startArchive(t: ExecutionContext) {
  const directory = await tempDir(t);
  const archive = join(directory, 'archive');
  await mkdir(archive);
  const paths: string[] = [];
  for (const name of names) paths.push(await addPackage(archive, { name, version: '1.0' }));
  await writeIndexes(archive);
  const origin = await startOrigin(t);
  await serveArchive(origin, archive);
  const daemon = await startDaemon(t, {
    sources: [],
    conf: { SOURCES_debian: origin.url, MUTABLE_TTL: '0s' },
  });
  return { directory, archive, paths, origin, daemon };
}

const install = ['install', '-y', '--download-only', ...names];

test.serial(
  'apt-get updates and downloads through the daemon, cold, warm and with the source down',
  async (t) => {
    if (!needs(t, ...aptPrograms)) return;
    const { directory, archive, paths, origin, daemon } = await startArchive(t);
    for (const state of ['cold', 'warm', 'down']) {
      // The third state is that of the second client, some time later.
      if (state === 'down') await origin.stop();
      const home = join(directory, state === 'cold' ? 'first' : 'second');
      const apt = await prepareApt(home, { archiveUrl: `${daemon.url}debian` });
      await apt.run('clean');
      const update = await apt.run('update');
      t.is(update.code, 0, `${state}: ${update.stdout} ${update.stderr}`);
      // Without InRelease apt warns when nobody can say that it is missing.
      if (state !== 'down') t.is(update.stderr, '');
      const download = await apt.run(...install);
      t.is(download.code, 0, `${state}: ${download.stderr}`);
      for (const path of paths) {
        const got = await readFile(join(apt.archives, basename(path)));
        t.true(got.equals(await readFile(join(archive, path))), `${state}: ${path}`);
      }
    }
    for (const path of paths) t.is(origin.count(path), 1);
  },
);

test.serial(
  'apt-get update sees a new version in the repository, and is told when nothing is new',
  async (t) => {
    if (!needs(t, ...aptPrograms)) return;
    const { directory, archive, origin, daemon } = await startArchive(t);
    const apt = await prepareApt(directory, { archiveUrl: `${daemon.url}debian` });
    t.is((await apt.run('update')).code, 0);
    t.regex((await apt.run('update')).stdout, /^Hit:\d+ .* Release$/m);
    await addPackage(archive, { name: 'alpha', version: '2.0' });
    await writeIndexes(archive);
    const release = join(archive, 'dists/stable/Release');
    const later = Date.now() / 1000 + 60;
    await utimes(release, later, later);
    await serveArchive(origin, archive);
    t.is((await apt.run('update')).code, 0);
    t.regex(
      (await apt.run('install', '--print-uris', '-y', 'alpha')).stdout,
      /alpha_2\.0_all\.deb/,
    );
  },
);

test.serial(
  'apt-get resumes a package with If-Range, on a cold cache and on a warm one',
  async (t) => {
    if (!needs(t, ...aptPrograms)) return;
    const { directory, archive, paths, origin, daemon } = await startArchive(t);
    const apt = await prepareApt(directory, { archiveUrl: `${daemon.url}debian` });
    await apt.run('update');
    const path = paths[0] ?? '';
    const whole = await readFile(join(archive, path));
    const partial = join(apt.archives, 'partial', basename(path));
    const modified =
      Date.parse(
        (await daemon.get(`/debian/${path}`, { method: 'HEAD' })).header('last-modified') ?? '',
      ) / 1000;
    for (const state of ['cold', 'warm']) {
      await rm(join(apt.archives, basename(path)), { force: true });
      await writeFile(partial, whole.subarray(0, 100_000));
      await utimes(partial, modified, modified);
      const { code, stderr } = await apt.run('install', '-y', '--download-only', 'alpha');
      t.is(code, 0, `${state}: ${stderr}`);
      t.true((await readFile(join(apt.archives, basename(path)))).equals(whole), state);
    }
    const gets = origin.requests.filter(
      ({ method, target }) => method === 'GET' && target === `/${path}`,
    );
    t.is(gets.length, 1);
  },
);

test.serial(
  'apt-get uses the daemon as Acquire::http::Proxy for the source it knows',
  async (t) => {
    if (!needs(t, ...aptPrograms)) return;
    const { directory, paths, origin, daemon } = await startArchive(t);
    const options = { 'Acquire::http::Proxy': daemon.url };
    const apt = await prepareApt(directory, { archiveUrl: origin.url, options });
    const update = await apt.run('update');
    t.is(update.code, 0, update.stderr);
    for (const time of ['cold', 'warm']) {
      await apt.run('clean');
      const download = await apt.run(...install);
      t.is(download.code, 0, `${time}: ${download.stderr}`);
    }
    for (const path of paths) t.is(origin.count(path), 1);
    t.true(origin.requests.every((request) => request.headerOf('via')?.includes('package-cache')));
  },
);
