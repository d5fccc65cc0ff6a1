import { lstat, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createLayout } from '../../daemon/cache/layout.ts';
import { distfilePath } from '../../daemon/gentoo/distfile.ts';
import { here } from '../ctl/here.ts';
import { request } from '../helpers/client.ts';
import { type Daemon, startDaemon, tempDir } from '../helpers/daemon.ts';
import { bodyOf, gate, startOrigin } from '../helpers/origin.ts';
import { distLine, plantRepository } from '../helpers/repository.ts';
import { whenThere } from '../helpers/watching.ts';

const key = 'distfiles/aa/package.tar.xz';
const body = bodyOf('package', 1_000_003);
const secret = bodyOf('secret', 1_500_000);

/** A file outside of CACHE_DIR that nobody may read or write through it. */
async function plant(t: ExecutionContext) {
  const outside = join(await tempDir(t), 'secret');
  await writeFile(outside, secret);
  const { mtimeMs, mode } = await lstat(outside);
  return {
    outside,
    lead: async (path: string) => {
      await mkdir(dirname(path), { recursive: true });
      await symlink(outside, path);
    },
    untouched: async () => {
      t.true((await readFile(outside)).equals(secret));
      t.like(await lstat(outside), { mtimeMs, mode });
    },
  };
}

const ctl = ({ controlSocket: socket }: Daemon, ...args: readonly string[]) =>
  here(args, { socket, now: Date.now });

for (const [asked, options] of Object.entries({
  GET: {},
  HEAD: { method: 'HEAD' },
  'GET of a range': { fields: [['Range', 'bytes=10-19']] },
} as const)) {
  test(`a symlink in the place of a package is published by no ${asked}`, async (t) => {
    const { lead, untouched } = await plant(t);
    const origin = await startOrigin(t);
    const daemon = await startDaemon(t, { sources: [origin.url] });
    await lead(join(daemon.cacheDir, key));
    const answer = await daemon.get(`/${key}`, options);
    t.is(answer.status, 404);
    t.false(answer.body.includes(secret.subarray(10, 20)));
    await untouched();
  });
}

test('a package takes the place of a symlink, which is neither verified nor culled', async (t) => {
  const { lead, untouched } = await plant(t);
  const origin = await startOrigin(t, { files: { [`/${key}`]: body } });
  const gentoo = join(await tempDir(t), 'gentoo');
  plantRepository(gentoo, { 'app-misc/package': [distLine(basename(key), body)] });
  const daemon = await startDaemon(t, { sources: [origin.url], conf: { MANIFESTS: gentoo } });
  await daemon.logged(/Manifests: /);
  const path = join(daemon.cacheDir, key);
  await lead(path);
  for (const command of [['verify'], ['cull', '--older-than', '0s'], ['ls']]) {
    t.regex((await ctl(daemon, ...command)).out, /\b0 files|[Nn]othing|No files/);
  }
  await untouched();
  t.true((await daemon.get(`/${key}`)).body.equals(body));
  await daemon.logged(/stored "distfiles/);
  t.true((await lstat(path)).isFile());
  await untouched();
});

test('a download is neither written nor gone on with through a symlink', async (t) => {
  const { lead, untouched } = await plant(t);
  const held = gate();
  const origin = await startOrigin(t, {
    files: {
      [`/${key}`]: (_, time) =>
        time === 1 ? { body, chunks: { gate: held, after: 500_000 } } : { body },
    },
  });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const layout = createLayout(daemon.cacheDir);
  const partial = layout.partial(key);
  for (const end of ['', '.json', '.json.new']) await lead(`${partial}${end}`);
  const client = request({ port: daemon.port, target: `/${key}` });
  client.catch(() => {});
  await held.reached;
  await whenThere(layout.partialFolder, async () =>
    (await lstat(`${partial}.json`)).isFile() ? true : undefined,
  );
  await untouched();
  await daemon.kill();
  await client.catch(() => {});
  await rename(partial, `${partial}-away`);
  await lead(partial);
  await daemon.restart();
  t.true((await daemon.get(`/${key}`)).body.equals(body));
  t.is((await origin.arrived(`/${key}`, 2)).headerOf('range'), undefined);
  await daemon.logged(/stored "distfiles/);
  t.true((await lstat(join(daemon.cacheDir, key))).isFile());
  await untouched();
});

test('an import writes through no symlink', async (t) => {
  const { lead, untouched } = await plant(t);
  const from = await tempDir(t);
  const name = 'imported-1.0.tar.xz';
  await writeFile(join(from, name), body);
  const gentoo = join(await tempDir(t), 'gentoo');
  plantRepository(gentoo, { 'app-misc/imported': [distLine(name, body)] });
  const daemon = await startDaemon(t, { conf: { MANIFESTS: gentoo } });
  await daemon.logged(/Manifests: /);
  const path = distfilePath(name);
  await lead(`${createLayout(daemon.cacheDir).partial(path)}.import`);
  t.regex((await ctl(daemon, 'import', from)).out, /Imported 1 file/);
  await untouched();
  t.true((await readFile(join(daemon.cacheDir, path))).equals(body));
  t.true((await lstat(join(daemon.cacheDir, path))).isFile());
});

test('what the daemon keeps for itself is written through no symlink', async (t) => {
  const { lead, untouched } = await plant(t);
  const gentoo = join(await tempDir(t), 'gentoo');
  plantRepository(gentoo, { 'app-misc/package': [distLine(basename(key), body)] });
  const origin = await startOrigin(t, { files: { '/dists/Release': body } });
  const cacheDir = join(await tempDir(t), 'cache');
  const layout = createLayout(cacheDir);
  const { id, stats, census, manifests, verification } = layout;
  const meta = layout.meta('dists/Release');
  const files = [id, stats, census, manifests, verification, meta];
  for (const path of files) {
    await lead(path);
    await lead(`${path}.new`);
  }
  const daemon = await startDaemon(t, {
    cacheDir,
    sources: [origin.url],
    conf: { MANIFESTS: gentoo },
  });
  await daemon.logged(/Manifests: /);
  await daemon.get('/dists/Release');
  await daemon.logged(/stored "dists/);
  await ctl(daemon, 'verify');
  await daemon.stop();
  await untouched();
  for (const path of files) t.true((await lstat(path)).isFile(), path);
  const own = dirname(id);
  t.deepEqual(
    (await readdir(own)).filter((name) => name.endsWith('.new')),
    [],
  );
});
