import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { type Answer, bodyOf, gate, startOrigin } from '../helpers/origin.ts';
import { needs } from '../helpers/programs.ts';
import { clientEnvironment, startScene, wget } from './fetchers.ts';
import { interrupt } from './mirror.ts';

const body = bodyOf('distfile', 2 * 1024 ** 2 + 17);
const path = 'distfiles/3c/which-2.23.tar.gz';
const second = 'distfiles/3c/other-1.0.tar.gz';

test.serial(
  'wget -c goes on from another mirror with the cache, and the other way round',
  async (t) => {
    if (!needs(t, 'wget')) return;
    const { origin, daemon, directory, fetch } = await startScene(t, { [path]: body });
    const other = await startOrigin(t, { files: { [path]: { body, cutAfter: 500_000 } } });
    const began = await fetch(wget, path, { from: other.url });
    t.is(began.code, 4, began.stderr);
    t.is(began.bytes?.length, 1_500_000, 'after three tries');
    const { code, bytes, stderr } = await fetch(wget, path, { resume: began.file });
    t.is(code, 0, stderr);
    t.true(bytes?.equals(body));
    t.regex(stderr, /206 Partial Content/);
    t.is(origin.count(path), 1);

    const held = gate();
    origin.serve(second, { body, chunks: { gate: held, after: 1_500_000 } });
    const file = join(directory, 'broken');
    const { args } = wget({ url: `${daemon.url}${second}`, file, resume: false });
    const part = { below: directory, name: /broken/, bytes: 1_000_000 };
    await interrupt('wget', { args, ...clientEnvironment(directory), ...part });
    held.open();
    other.serve(second, body);
    const ended = await fetch(wget, second, { resume: file, from: other.url });
    t.is(ended.code, 0, ended.stderr);
    t.true(ended.bytes?.equals(body));
    t.regex(ended.stderr, /206 Partial Content/);
    await daemon.stop();
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

for (const [what, answer, status] of [
  ['has no such file', { status: 404 }, 404],
  ['is overloaded', { status: 503, fields: [['Retry-After', '60']] }, 502],
  ['waited for another server', { status: 504 }, 502],
  ['is gone', { resetAfter: 0 }, 502],
] as const satisfies readonly (readonly [string, Answer, number])[]) {
  test.serial(
    `wget tries nothing twice when the source ${what}, and goes to its next mirror`,
    async (t) => {
      if (!needs(t, 'wget')) return;
      const { fetch, answers } = await startScene(t, { [path]: answer });
      const { code, stderr } = await fetch(wget, path);
      t.is(code, 8);
      t.regex(stderr, new RegExp(`ERROR ${status}`));
      t.is((await answers()).length, 1);
    },
  );
}

test.serial('wget goes to its next mirror at once when the cache has its hands full', async (t) => {
  if (!needs(t, 'wget')) return;
  const held = gate();
  const files = { [path]: { body, chunks: { gate: held } }, [second]: body };
  const { origin, daemon, fetch } = await startScene(t, files, () => ({ MAX_FILLS: '1' }));
  const busy = fetch(wget, path);
  await origin.arrived(path);
  const { code, stderr } = await fetch(wget, second);
  t.is(code, 8);
  t.regex(stderr, /ERROR 503/);
  held.open();
  t.true((await busy).bytes?.equals(body));
  await daemon.logged(/stored/);
  t.is((await fetch(wget, second)).code, 0);
});

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
