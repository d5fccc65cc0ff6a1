import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Daemon } from '../helpers/daemon.ts';
import { type Answer, type Origin, startOrigin } from '../helpers/origin.ts';
import { distLine } from '../helpers/repository.ts';
import { name, openScene, path, right, type SceneOptions, spoilt } from './verified.ts';

const stored = (daemon: Daemon) => readFile(join(daemon.cacheDir, path));
const conf = { SRC_URI_RESCUE: 'yes', NEGATIVE_TTL: '0' };

interface Rescue {
  readonly daemon: Daemon;
  readonly source: Origin;
  /** Where the ebuild says that the file comes from. */
  readonly elsewhere: Origin;
  /** Writes what the ebuild says. */
  say(lines: string): Promise<void>;
}

/** A source that lacks the file, and an ebuild that knows where it comes from. */
async function openRescue(
  t: ExecutionContext,
  options: Partial<SceneOptions> = {},
): Promise<Rescue> {
  const given = { copies: [{ status: 404 }], conf, ...options };
  const { daemon, origins, repository } = await openScene(t, given);
  const elsewhere = await startOrigin(t, { files: { [`/pub/${name}`]: right } });
  const folder = join(repository, 'metadata/md5-cache/app-misc');
  await mkdir(folder, { recursive: true });
  const say = (lines: string) => writeFile(join(folder, 'big-1.0'), lines);
  await say(`EAPI=8\nSRC_URI=${elsewhere.url}pub/${name}\n`);
  const [source = elsewhere] = origins;
  return { daemon, source, elsewhere, say };
}

test('a file that no source has is fetched from where the ebuild says, and proven', async (t) => {
  const { daemon, source, elsewhere } = await openRescue(t);
  const answer = await daemon.get(path);
  t.like(answer, { status: 200, ended: 'complete' });
  t.true(answer.body.equals(right));
  t.is(source.count(path), 1);
  await daemon.logged(/no source has "distfiles\S+": asking http:\S+\/pub\/big-1\.0\.tar\.xz/);
  await daemon.logged(/stored "distfiles/);
  t.true((await stored(daemon)).equals(right));
  t.is(elsewhere.count(), 1);
});

test('nobody is asked but the sources unless SRC_URI_RESCUE says so', async (t) => {
  const { daemon, elsewhere } = await openRescue(t, { conf: {} });
  t.is((await daemon.get(path)).status, 404);
  t.is(elsewhere.count(), 0);
});

test('a file whose digest no Manifest has is not looked for elsewhere', async (t) => {
  const lines = [distLine('big-2.0.tar.xz', '')];
  const { daemon, elsewhere } = await openRescue(t, { lines });
  t.is((await daemon.get(path)).status, 404);
  t.is(elsewhere.count(), 0);
});

test('a source that failed may have the file yet: nobody else is asked', async (t) => {
  const { daemon, elsewhere } = await openRescue(t, { copies: [{ status: 503 }] });
  t.is((await daemon.get(path)).status, 502);
  t.is(elsewhere.count(), 0);
});

test('another file of that name is not taken', async (t) => {
  const { daemon, elsewhere } = await openRescue(t);
  elsewhere.serve(`/pub/${name}`, spoilt(right.length - 1));
  const answer = await daemon.get(path);
  t.not(answer.ended, 'complete');
  await daemon.logged(/is not the file that the Manifests mean/);
  await t.throwsAsync(stored(daemon), { code: 'ENOENT' });
  elsewhere.serve(`/pub/${name}`, 'of another size');
  const refused = await daemon.get(path);
  t.is(refused.status, 404);
  t.regex(String(refused.body), /15 bytes, where the Manifests have 500000/);
});

test('what is called otherwise there, and has a query, is found', async (t) => {
  const { daemon, elsewhere, say } = await openRescue(t);
  elsewhere.serve('/download.php?file=big&version=1.0', right);
  const uri = `${elsewhere.url}download.php?file=big&version=1.0`;
  await say(`SRC_URI=doc? ( ${elsewhere.url}doc.pdf ) ${uri} -> ${name}\n`);
  t.true((await daemon.get(path)).body.equals(right));
  await daemon.logged(/stored "distfiles/);
});

test('RESTRICT="fetch" is respected', async (t) => {
  const { daemon, elsewhere, say } = await openRescue(t);
  await say(`RESTRICT=fetch\nSRC_URI=${elsewhere.url}pub/${name}\n`);
  t.is((await daemon.get(path)).status, 404);
  t.is(elsewhere.count(), 0);
});

for (const credentials of ['user:planted@', 'user@', ':planted@']) {
  test(`a URL with credentials is not asked, nor shown: ${credentials}`, async (t) => {
    const { daemon, elsewhere, say } = await openRescue(t);
    await say(`SRC_URI=${elsewhere.url.replace('//', `//${credentials}`)}pub/${name}\n`);
    const answer = await daemon.get(path);
    t.is(answer.status, 404);
    t.is(elsewhere.count(), 0);
    t.notRegex(String(answer.body) + daemon.log().join('\n'), /planted|user@/);
  });
}

test('a body from there that breaks off is continued there', async (t) => {
  const { daemon, elsewhere } = await openRescue(t);
  elsewhere.serve(
    `/pub/${name}`,
    (_: unknown, time: number): Answer =>
      time === 1 ? { body: right, cutAfter: 300_000 } : { body: right },
  );
  const answer = await daemon.get(path);
  t.is(answer.ended, 'complete');
  t.true(answer.body.equals(right));
  await daemon.logged(/stored "distfiles/);
});
