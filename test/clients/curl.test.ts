import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { bodyOf, defaultLastModified } from '../helpers/origin.ts';
import { run } from '../helpers/process.ts';
import { needs } from '../helpers/programs.ts';
import { clientEnvironment, curl, type Scene, startScene } from './fetchers.ts';

const body = bodyOf('distfile', 2 * 1024 ** 2 + 17);
const path = 'distfiles/3c/which-2.23.tar.gz';

/** curl's own words on standard output: status, type and size of what came. */
async function ask({ daemon, directory }: Scene, ...options: string[]): Promise<string> {
  const format = '%{http_code} %{size_download} %{content_type}';
  const url = `${daemon.url}${path}`;
  const { stdout } = await run('curl', {
    args: ['-q', '-sS', '-o', '/dev/null', '-w', format, ...options, url],
    ...clientEnvironment(directory),
  });
  return stdout;
}

test.serial('curl -C - gets a 206 on a cold cache, and a 416 only behind the end', async (t) => {
  if (!needs(t, 'curl')) return;
  const { origin, fetch } = await startScene(t, { [path]: body });
  const cold = await fetch(curl, path, { partial: body.subarray(0, 1_500_000) });
  t.is(cold.code, 0, cold.stderr);
  t.true(cold.bytes?.equals(body));
  t.is(origin.count(path), 1);
  const longer = await fetch(curl, path, { partial: Buffer.concat([body, body]) });
  t.regex(longer.stderr, /416/);
});

test.serial(
  'curl --range is served from a cold cache with one whole request to the source',
  async (t) => {
    if (!needs(t, 'curl')) return;
    const scene = await startScene(t, { [path]: body });
    t.regex(await ask(scene, '--range', '1000000-1000009'), /^206 10 /);
    t.regex(await ask(scene, '--range', '-7'), /^206 7 /);
    t.regex(await ask(scene, '--range', '2097169-'), /^416 /);
    t.regex(await ask(scene, '--range', '0-9,1000-1009'), /^206 \d+ multipart\/byteranges/);
    t.true((await scene.fetch(curl, path)).bytes?.equals(body));
    t.is(scene.origin.count(path), 1);
    t.is(scene.origin.requests[0]?.headerOf('range'), undefined);
  },
);

test.serial(
  'curl -z gets a 304 for a copy of that time or later, and all of it for an older one',
  async (t) => {
    if (!needs(t, 'curl')) return;
    const scene = await startScene(t, { [path]: body });
    const copy = join(scene.directory, 'copy');
    await writeFile(copy, '');
    const modified = Date.parse(defaultLastModified) / 1000;
    for (const [offset, answer] of [
      [-1, /^200 2097169 /],
      [0, /^304 0 /],
      [5, /^304 0 /],
    ] as const) {
      await utimes(copy, modified + offset, modified + offset);
      t.regex(await ask(scene, '-z', copy), answer);
    }
  },
);

test.serial(
  'curl --head on a cold cache asks the source for a head and starts no download',
  async (t) => {
    if (!needs(t, 'curl')) return;
    const scene = await startScene(t, { [path]: body });
    t.regex(await ask(scene, '--head'), /^200 0 /);
    t.deepEqual(
      scene.origin.requests.map(({ method }) => method),
      ['HEAD'],
    );
  },
);

test.serial('curl -f leaves nothing of an answer that is none', async (t) => {
  if (!needs(t, 'curl')) return;
  const { fetch } = await startScene(t, { [path]: { status: 503 } });
  for (const missing of ['distfiles/3c/never-seen-1.tar.gz', path]) {
    t.like(await fetch(curl, missing), { code: 22, bytes: undefined });
  }
});

test.serial('curl through http_proxy gets what a source has and nothing else', async (t) => {
  if (!needs(t, 'curl')) return;
  const { origin, daemon, directory } = await startScene(t, { [path]: body });
  const through = async (url: string) => {
    const args = ['-q', '-sS', '-o', '/dev/null', '-w', '%{http_code} %{size_download}'];
    const proxied = [...args, '--noproxy', '', '--proxy', daemon.url, url];
    return (await run('curl', { args: proxied, ...clientEnvironment(directory) })).stdout;
  };
  t.is(await through(`${origin.url}${path}`), `200 ${body.length}`);
  t.regex(await through('http://elsewhere.example/a.tar.gz'), /^403 /);
  t.is(origin.count(), 1);
});
