import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { bodyOf } from '../helpers/origin.ts';
import { type Finished, run } from '../helpers/process.ts';
import { needs } from '../helpers/programs.ts';
import { clientEnvironment, startScene, wget } from './fetchers.ts';
import { must, startSnippet } from './mirror.ts';

const layout = '[structure]\n0=filename-hash BLAKE2B 8\n';
const name = 'which-2.23.tar.gz';
const distfile = `distfiles/80/${name}`;
const body = bodyOf('distfile', 1_000_003);

test.serial(
  'with make.conf of contrib, Portage asks the cache, and a mirror when that is down',
  async (t) => {
    if (!needs(t, 'wget', 'bash')) return;
    const { origin, daemon, directory, snippet } = await startSnippet(t, {
      snippet: 'gentoo-make.conf',
    });
    origin.serve('distfiles/layout.conf', layout);
    origin.serve(distfile, body);
    const sourced = ['-c', `${snippet}\necho "$GENTOO_MIRRORS"`];
    const [cache = '', mirror = '', ...others] = (await must('bash', sourced)).trim().split(/\s+/);
    t.deepEqual([cache, mirror, ...others], [daemon.url, 'http://distfiles.gentoo.org']);
    // Portage takes the slashes at the end away, and goes through the list for each file.
    const mirrors = [cache, origin.url].map((url) => url.replace(/\/+$/, ''));
    const fetch = async (path: string) => {
      const file = join(directory, `${name}.__download__`);
      for (const url of mirrors) {
        const { program, args } = wget({ url: `${url}/${path}`, file, resume: false });
        const { code } = await run(program, { args, ...clientEnvironment(directory) });
        if (code === 0) return readFile(file);
      }
      return undefined;
    };
    for (const state of ['cold', 'warm']) {
      t.is(String(await fetch('distfiles/layout.conf')), layout, state);
      t.true((await fetch(distfile))?.equals(body), state);
    }
    t.is(origin.count(distfile), 1);
    await origin.stop();
    t.true((await fetch(distfile))?.equals(body), 'the source is down');
    await origin.restart();
    await daemon.stop();
    t.true((await fetch(distfile))?.equals(body), 'the cache is down');
    t.is(origin.count(distfile), 2);
  },
);

test.serial('emerge-webrsync finds the snapshot of a day soon after it has appeared', async (t) => {
  if (!needs(t, 'wget')) return;
  const { origin, daemon, directory } = await startScene(t, {}, () => ({ NEGATIVE_TTL: '1s' }));
  const tarball = 'portage-20261127.tar.xz';
  const snapshot = bodyOf('snapshot', 500_000);
  const fetch = async (file: string): Promise<Finished> => {
    const { program, args } = wget({
      url: `${daemon.url}snapshots/${file}`,
      file: join(directory, file),
      resume: true,
    });
    return run(program, { args: ['--no-verbose', ...args], ...clientEnvironment(directory) });
  };
  /** One day: the digest of each form first, then its signature and itself. */
  const probe = async () => {
    for (const prefix of ['gentoo', 'portage']) {
      for (const suffix of ['xz', 'bz2']) {
        const file = `${prefix}-20261127.tar.${suffix}`;
        if ((await fetch(`${file}.md5sum`)).code !== 0) continue;
        return (await fetch(`${file}.gpgsig`)).code === 0 && (await fetch(file)).code === 0;
      }
    }
    return false;
  };
  t.false(await probe());
  t.is(origin.count(), 4);
  origin.serve(`snapshots/${tarball}`, snapshot);
  origin.serve(`snapshots/${tarball}.gpgsig`, 'a signature');
  const digest = createHash('md5').update(snapshot).digest('hex');
  origin.serve(`snapshots/${tarball}.md5sum`, `MD5 (${tarball}) = ${digest}\n`);
  const bound = Date.now() + 10_000;
  while (!(await probe()) && Date.now() < bound) await pause(200);
  t.true((await readFile(join(directory, tarball))).equals(snapshot));
  t.regex(await readFile(join(directory, `${tarball}.md5sum`), 'utf8'), new RegExp(digest));
  await origin.stop();
  for (const file of [`${tarball}.md5sum`, `${tarball}.gpgsig`, tarball]) {
    t.is((await daemon.get(`/snapshots/${file}`)).header('cache-status'), 'package-cache; hit');
  }
});
