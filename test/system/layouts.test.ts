import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { distfilePath } from '../../daemon/gentoo/distfile.ts';
import { foldersIn, parseLayoutConf } from '../../daemon/gentoo/layout-conf.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { startOrigin } from '../helpers/origin.ts';

const name = 'which-2.23.tar.gz';
const hashed = `/${distfilePath(name)}`;
const flat = `/distfiles/${name}`;
const conf = '/distfiles/layout.conf';
const body = 'what a mirror has';

test('one entry serves clients of either layout, and lies where mirrors have it', async (t) => {
  const origin = await startOrigin(t, { files: { [hashed]: body } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  for (const target of [flat, hashed, `/distfiles/80/0b/${name}`]) {
    t.is(String((await daemon.get(target)).body), body, target);
  }
  t.deepEqual(
    origin.requests.map(({ target }) => target),
    [hashed],
  );
  await daemon.logged(/stored "distfiles\/80\/which/);
  t.is(await readFile(join(daemon.cacheDir, hashed), 'utf8'), body);
});

for (const [what, layout, script] of [
  ['a flat one', '[structure]\n0=flat\n', undefined],
  ['one without a layout.conf, which is flat', '[structure]\n0=flat\n', { status: 404 }],
  ['one of folders in folders', '[structure]\n0=filename-hash BLAKE2B 8:8\n', undefined],
  ['one of another hash', '[structure]\n0=filename-hash SHA512 8\n', undefined],
] as const) {
  test(`a source is asked in its own layout: ${what}`, async (t) => {
    const origin = await startOrigin(t, { files: { [conf]: script ?? layout } });
    const parsed = parseLayoutConf(layout);
    const others = ['b-1.tar.gz', 'c-1.tar.gz'];
    const at = (file: string) => `/distfiles/${parsed && foldersIn(parsed, file)}${file}`;
    for (const file of [name, ...others]) origin.serve(at(file), body);
    const daemon = await startDaemon(t, { sources: [origin.url] });
    t.is(String((await daemon.get(hashed)).body), body);
    t.deepEqual(
      origin.requests.map(({ target }) => target),
      [hashed, conf, at(name)],
    );
    t.is((await daemon.get(`/distfiles/${others[0]}`, { method: 'HEAD' })).status, 200);
    t.is((await daemon.get(`/distfiles/${others[1]}`)).status, 200);
    // What it said holds.
    t.is(origin.count(conf), 1);
    t.is(origin.requests.length, 5);
  });
}

test('each source is asked in its own layout', async (t) => {
  const first = await startOrigin(t, {
    files: { [conf]: '[structure]\n0=filename-hash BLAKE2B 8\n' },
  });
  const second = await startOrigin(t, { files: { [flat]: body } });
  const daemon = await startDaemon(t, { sources: [first.url, second.url] });
  t.is(String((await daemon.get(flat)).body), body);
  t.deepEqual(
    first.requests.map(({ target }) => target),
    [hashed, conf],
  );
  t.is(second.count(flat), 1);
});

test('a source with the layout of all mirrors and no layout.conf keeps it, whatever it lacks', async (t) => {
  const origin = await startOrigin(t);
  const daemon = await startDaemon(t, { sources: [origin.url], conf: { NEGATIVE_TTL: '0' } });
  t.is((await daemon.get(hashed)).status, 404);
  origin.serve(hashed, body);
  t.is(String((await daemon.get(hashed)).body), body);
  t.is(origin.count(conf), 1);
});

test('a file that no mirror has is 404, and layout.conf is not asked for every time', async (t) => {
  const origin = await startOrigin(t, {
    files: { [conf]: '[structure]\n0=filename-hash BLAKE2B 8\n' },
  });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  for (const file of ['a-1.tar.gz', 'b-1.tar.gz', 'c-1.tar.gz']) {
    t.is((await daemon.get(`/distfiles/${file}`)).status, 404);
  }
  t.is(origin.count(conf), 1);
  t.is(origin.requests.length, 4);
});

for (const [what, answer] of [
  ['an error', { status: 503 }],
  ['a page', { body: '<html></html>', fields: [['Content-Type', 'text/html']] }],
  ['far too much', { generate: { seed: 'x', size: 10_000_000 } }],
] as const) {
  test(`a source that answers layout.conf with ${what} has the layout of all mirrors`, async (t) => {
    const origin = await startOrigin(t, { files: { [conf]: answer, [flat]: body } });
    const daemon = await startDaemon(t, { sources: [origin.url], conf: { NEGATIVE_TTL: '0' } });
    t.is((await daemon.get(hashed)).status, 404);
    t.is(origin.count(flat), 0);
    origin.serve(hashed, body);
    t.is(String((await daemon.get(hashed)).body), body);
  });
}

test('names that may change are asked for as they are', async (t) => {
  const files = { [conf]: 'layout', '/distfiles/INDEX': 'index', '/distfiles/sub/a.tar.gz': 'sub' };
  const origin = await startOrigin(t, { files });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  for (const [target, text] of Object.entries(files)) {
    t.is(String((await daemon.get(target)).body), text);
  }
  t.deepEqual(
    origin.requests.map(({ target }) => target),
    Object.keys(files),
  );
});

test("a name goes out in the client's spelling, and has one key", async (t) => {
  const odd = 'oddnames-1.2.3+git~rc1.tar.gz';
  const [, folder] = distfilePath(odd).split('/');
  const origin = await startOrigin(t, { files: { [`/${distfilePath(odd)}`]: body } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const spelled = 'oddnames-1.2.3%2Bgit%7Erc1.tar.gz';
  t.is((await daemon.get(`/distfiles/${spelled}`)).status, 200);
  t.is((await daemon.get(`/distfiles/${folder}/${odd}`)).status, 200);
  t.deepEqual(
    origin.requests.map(({ target }) => target),
    [`/distfiles/${folder}/${spelled}`],
  );
});

test('a source that stays silent about its layout holds nobody up', async (t) => {
  const slow = await startOrigin(t);
  const held = slow.gate();
  slow.serve(conf, { body: 'x', delayHead: held });
  t.teardown(() => held.open());
  const second = await startOrigin(t, { files: { [hashed]: body } });
  const conf2 = { HEDGE_AFTER: '100ms' };
  const daemon = await startDaemon(t, { sources: [slow.url, second.url], conf: conf2 });
  t.is(String((await daemon.get(flat)).body), body);
});
