import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { bodyOf } from '../helpers/origin.ts';
import { needs } from '../helpers/programs.ts';
import { startScene, wget } from './fetchers.ts';

const body = bodyOf('distfile', 2 * 1024 ** 2 + 17);
const path = 'distfiles/3c/which-2.23.tar.gz';

test.serial(
  'wget -c of what another mirror began fills the whole file on a cold cache',
  async (t) => {
    if (!needs(t, 'wget')) return;
    const { origin, daemon, fetch } = await startScene(t, { [path]: body });
    const { code, bytes, stderr } = await fetch(wget, path, { partial: body.subarray(0, 400_000) });
    t.is(code, 0, stderr);
    t.true(bytes?.equals(body));
    t.regex(stderr, /206 Partial Content/);
    const whole = await fetch(wget, path);
    t.true(whole.bytes?.equals(body));
    t.is(origin.count(path), 1);
    t.true((await readFile(join(daemon.cacheDir, path))).equals(body));
  },
);

test.serial('wget -c of a file that is whole has nothing to do', async (t) => {
  if (!needs(t, 'wget')) return;
  const { fetch } = await startScene(t, { [path]: body });
  await fetch(wget, path);
  const { code, bytes, stderr } = await fetch(wget, path, { partial: body });
  t.is(code, 0);
  t.true(bytes?.equals(body));
  t.regex(stderr, /already fully retrieved/);
});

test.serial(
  'wget goes on to its next mirror at once when no source has the file or answers',
  async (t) => {
    if (!needs(t, 'wget')) return;
    const { origin, fetch } = await startScene(t, {});
    const missing = await fetch(wget, path);
    t.is(missing.code, 8);
    t.regex(missing.stderr, /ERROR 404/);
    await origin.stop();
    const dead = await fetch(wget, 'distfiles/3c/other-1.tar.gz');
    t.is(dead.code, 8);
    t.regex(dead.stderr, /ERROR 502/);
    t.notRegex(dead.stderr, /Retrying/);
  },
);

test.serial(
  'wget gets layout.conf with the source down, or Portage would fall back to flat',
  async (t) => {
    if (!needs(t, 'wget')) return;
    const { origin, fetch } = await startScene(t, {});
    await origin.stop();
    const { bytes, stderr } = await fetch(wget, 'distfiles/layout.conf');
    t.is(String(bytes), '[structure]\n0=filename-hash BLAKE2B 8\n', stderr);
  },
);
