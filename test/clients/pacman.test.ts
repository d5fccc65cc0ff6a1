import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { tempDir } from '../helpers/files.ts';
import { gate, startOrigin } from '../helpers/origin.ts';
import { needs } from '../helpers/programs.ts';
import { interrupt, type Mirror, startMirror } from './mirror.ts';
import { addPackage, type Pacman, pacmanPrograms, preparePacman } from './pacman-repository.ts';
import { makeKey, type SigningKey } from './signing.ts';

const names = ['alpha', 'beta'];

/** A mirror with two packages, as `arch-mirrorlist` wants it; signed with a key. */
async function startRepository(
  t: ExecutionContext,
  { key, ahead }: { key?: SigningKey; ahead?: string } = {},
) {
  const paths: string[] = [];
  const mirror = await startMirror(t, {
    snippet: 'arch-mirrorlist',
    ahead,
    build: async (tree) => {
      for (const name of names) paths.push(await addPackage(tree, { name, version: '1.0', key }));
    },
  });
  const client = async () =>
    preparePacman(await tempDir(t), { mirrorlist: mirror.snippet, ...(key && { key }) });
  return { mirror, paths, client };
}

async function assertGot(t: ExecutionContext, { tree }: Mirror, pacman: Pacman, paths: string[]) {
  for (const path of paths) {
    const got = await readFile(join(pacman.packages, basename(path)));
    t.true(got.equals(await readFile(join(tree, path))), path);
  }
}

test.serial('pacman syncs and downloads cold, warm and with the source down', async (t) => {
  if (!needs(t, ...pacmanPrograms)) return;
  const { mirror, paths, client } = await startRepository(t, { key: await makeKey(t) });
  for (const state of ['cold', 'warm', 'down']) {
    if (state === 'down') await mirror.origin.stop();
    const pacman = await client();
    t.is((await pacman.run('-Sy')).code, 0, state);
    t.is((await pacman.run('-Sw', ...names)).code, 0, state);
    await assertGot(t, mirror, pacman, paths);
  }
  for (const path of paths) {
    t.is(mirror.origin.count(path), 1);
    t.is(mirror.origin.count(`${path}.sig`), 1);
  }
});

test.serial('pacman finds no signatures where there are none, and nobody complains', async (t) => {
  if (!needs(t, ...pacmanPrograms)) return;
  const { mirror, paths, client } = await startRepository(t);
  const pacman = await client();
  t.like(await pacman.run('-Sy'), { code: 0, stderr: '' });
  t.like(await pacman.run('-Sw', ...names), { code: 0, stderr: '' });
  await assertGot(t, mirror, pacman, paths);
  t.is(mirror.origin.count('/core/os/x86_64/core.db.sig'), 1);
  t.false(mirror.daemon.log().some((line) => /\.sig|set aside/.test(line)));
});

test.serial('pacman is told when its database is the newest, and gets a newer one', async (t) => {
  if (!needs(t, ...pacmanPrograms)) return;
  const { mirror, client } = await startRepository(t);
  const pacman = await client();
  t.is((await pacman.run('-Sy')).code, 0);
  t.is((await pacman.run('-Sy')).code, 0);
  const path = await addPackage(mirror.tree, { name: 'alpha', version: '2.0' });
  await mirror.publish();
  t.is((await pacman.run('-Sy')).code, 0);
  t.like(await pacman.run('-Sw', 'alpha'), { code: 0 });
  await assertGot(t, mirror, pacman, [path]);
  const answers = (await mirror.answers()).map((line) => /core\.db HTTP\S+ (\d+)/.exec(line)?.[1]);
  t.deepEqual(
    answers.filter((status) => status !== undefined),
    ['200', '304', '200'],
  );
});

test.serial('pacman that was interrupted goes on with its .part', async (t) => {
  if (!needs(t, ...pacmanPrograms)) return;
  const { mirror, paths, client } = await startRepository(t);
  const { origin, tree } = mirror;
  const pacman = await client();
  await pacman.run('-Sy');
  const [path = ''] = paths;
  const held = gate();
  const body = await readFile(join(tree, path));
  origin.serve(path, { body, chunks: { gate: held, after: 200_000 } });
  await interrupt(pacman.program, {
    ...pacman.environment,
    args: [...pacman.args, '-Sw', 'alpha'],
    below: pacman.packages,
    name: /\.part$/,
    bytes: 100_000,
  });
  held.open();
  t.like(await pacman.run('-Sw', 'alpha'), { code: 0 });
  await assertGot(t, mirror, pacman, [path]);
  t.is(origin.count(path), 1);
  t.true((await mirror.answers()).some((line) => /alpha\S+ HTTP.* 206 /.test(line)));
});

test.serial(
  'pacman, which waits ten seconds for a byte, never waits for a dead source',
  async (t) => {
    if (!needs(t, ...pacmanPrograms)) return;
    const silent = await startOrigin(t, { silent: true });
    const { mirror, paths, client } = await startRepository(t, { ahead: silent.url });
    const pacman = await client();
    t.like(await pacman.run('-Sy'), { code: 0, stderr: '' }, 'another source has the database');
    t.like(await pacman.run('-Sw', ...names), { code: 0, stderr: '' });
    await assertGot(t, mirror, pacman, paths);
    // Now none answers, and what is stored has to do.
    const held = gate();
    t.teardown(held.open);
    mirror.origin.serve('*', { delayHead: held });
    mirror.origin.serve('core/os/x86_64/core.db', { delayHead: held });
    t.like(await (await client()).run('-Sy'), { code: 0, stderr: '' }, 'it is stored');
  },
);
