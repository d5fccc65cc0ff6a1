import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { open } from '../helpers/client.ts';
import type { Daemon } from '../helpers/daemon.ts';
import { bodyOf, gate } from '../helpers/origin.ts';
import { distLine } from '../helpers/repository.ts';
import { name, openScene, path, right, size, spoilt, withheld } from './verified.ts';

const stored = (daemon: Daemon) => readFile(join(daemon.cacheDir, path));
const partials = (daemon: Daemon) => readdir(join(daemon.cacheDir, '.package-cache/partial'));

test('the last 64 KiB wait for the digest, and all that comes before does not', async (t) => {
  const held = gate();
  const copy = { body: right, chunks: { size: 1000, gate: held, after: size - 1 } };
  const { daemon } = await openScene(t, { copies: [copy] });
  const client = open({ port: daemon.port, target: path, t });
  await client.read(size - withheld);
  await held.reached;
  const last = client.read(1);
  const early = await Promise.race([last, new Promise((resolve) => setTimeout(resolve, 300))]);
  t.is(early, undefined);
  held.open();
  await last;
  const { ended } = await client.rest();
  t.is(ended, 'complete');
  await daemon.logged(/stored "distfiles/);
  t.true((await stored(daemon)).equals(right));
});

test('a file with a wrong digest never ends cleanly, is not stored, and counts against its source', async (t) => {
  const { daemon, origins } = await openScene(t, { copies: [spoilt(200_000)] });
  const answer = await daemon.get(path);
  t.is(answer.ended, 'reset');
  t.true(answer.body.length <= size - withheld);
  const [origin] = origins;
  await daemon.logged(/big-1\.0\.tar\.xz" from http:\S+ is not the file that the Manifests mean/);
  await daemon.logged(/source http:\S+ is set aside .*not the file that the Manifests mean/);
  await t.throwsAsync(stored(daemon), { code: 'ENOENT' });
  t.deepEqual(await partials(daemon), []);
  origin?.serve(path, right);
  t.true((await daemon.get(path)).body.equals(right));
});

test('a small file with a wrong digest is an error that says so, not a broken answer', async (t) => {
  const lines = [distLine(name, 'the right bytes')];
  const { daemon } = await openScene(t, { copies: ['the wrong bytes'], lines });
  const answer = await daemon.get(path);
  t.like(answer, { status: 502, ended: 'complete' });
  t.regex(String(answer.body), /http:\S+: not the file that the Manifests mean: 15 bytes/);
  await t.throwsAsync(stored(daemon), { code: 'ENOENT' });
});

for (const [what, offset] of [
  ['in the bytes that are withheld', size - 1],
  ['in the first of them', size - withheld],
] as const) {
  test(`a copy that is wrong ${what} is replaced by another source's, unnoticed`, async (t) => {
    const { daemon, origins } = await openScene(t, { copies: [spoilt(offset), right] });
    const answer = await daemon.get(path);
    t.like(answer, { status: 200, ended: 'complete', surplus: 0 });
    t.true(answer.body.equals(right));
    t.deepEqual(
      origins.map((origin) => origin.count(path)),
      [1, 1],
    );
    await daemon.logged(/stored "distfiles/);
    t.true((await stored(daemon)).equals(right));
  });
}

test('a reader who was not given the first wrong byte yet notices nothing, another is reset', async (t) => {
  const held = gate();
  const first = { body: spoilt(250_000), chunks: { size: 10_000, gate: held, after: 300_000 } };
  const { daemon } = await openScene(t, { copies: [first, right] });
  const quick = open({ port: daemon.port, target: path, t });
  await quick.read(300_000);
  // An answer of its own pace: it has had not even its first byte.
  const range = daemon.get(path, { fields: [['Range', 'bytes=499000-499999']] });
  held.open();
  t.is((await quick.rest()).ended, 'reset');
  const part = await range;
  t.is(part.status, 206);
  t.true(part.body.equals(right.subarray(499_000)));
  await daemon.logged(/stored "distfiles/);
  t.true((await stored(daemon)).equals(right));
});

test('who holds wrong bytes is not given the end of the right file, unless it can tell', async (t) => {
  const { daemon } = await openScene(t, { copies: [spoilt(200_000), right] });
  t.is((await daemon.get(path)).ended, 'reset');
  await daemon.logged(/stored "distfiles/);
  const resume = await daemon.get(path, { fields: [['Range', 'bytes=300000-']] });
  t.is(resume.status, 503);
  t.regex(String(resume.body), /changed at byte 200000/);
  const before = await daemon.get(path, { fields: [['Range', 'bytes=200000-']] });
  t.true(before.body.equals(right.subarray(200_000)));
  t.true((await daemon.get(path)).body.equals(right));
});

test('a length that no Manifest has is refused before a byte goes out', async (t) => {
  const copies = [bodyOf('long', size + 1), right];
  const { daemon, origins } = await openScene(t, { copies });
  const answer = await daemon.get(path);
  t.true(answer.body.equals(right));
  await daemon.logged(/set aside .*500001 bytes, where the Manifests have 500000/);
  const head = await daemon.get(path, { method: 'HEAD' });
  t.is(head.header('content-length'), String(size));
  t.is(origins[1]?.count(path), 1);
});

test('with no source that has the right length, the error names what each had', async (t) => {
  const { daemon } = await openScene(t, { copies: [bodyOf('x', 7), bodyOf('y', 8)] });
  for (const method of ['GET', 'HEAD']) {
    t.is((await daemon.get(path, { method })).status, 502, method);
  }
  const answer = await daemon.get(path);
  t.regex(String(answer.body), /7 bytes, where the Manifests have 500000; .*8 bytes, where/);
});

for (const [what, agreed] of [
  ['bytes', spoilt(200_000)],
  ['the last byte', spoilt(size - 1)],
  ['a small file', Buffer.from('small')],
  ['a longer file', bodyOf('longer', size + 10_000)],
] as const) {
  test(`two sources that agree on ${what} no Manifest has are passed on, and not stored`, async (t) => {
    const { daemon, origins } = await openScene(t, { copies: [agreed, agreed] });
    const asked = () => origins.reduce((sum, origin) => sum + origin.count(), 0);
    const pass = async () => {
      const answer = await daemon.get(path);
      t.like(answer, { status: 200, ended: 'complete' });
      t.true(answer.body.equals(agreed));
    };
    await pass();
    await daemon.logged(/passed "\S+" .*not stored: two sources agree on it/);
    await t.throwsAsync(stored(daemon), { code: 'ENOENT' });
    // Their agreement is remembered: one of them is enough.
    const before = asked();
    await pass();
    t.true(asked() <= before + 1);
    for (const origin of origins) origin.serve(path, right);
    // The last download may not be over yet.
    let answer = await daemon.get(path);
    while (answer.body.equals(agreed)) answer = await daemon.get(path);
    t.true(answer.body.equals(right));
  });
}

test('of three sources two that agree do not outvote the one that is right', async (t) => {
  const wrong = spoilt(size - 1);
  const { daemon } = await openScene(t, { copies: [wrong, right, wrong] });
  t.true((await daemon.get(path)).body.equals(right));
});

test('any of several digests of one name will do', async (t) => {
  const other = bodyOf('other', 300_000);
  const lines = [distLine(name, other), distLine(name, right)];
  const { daemon, origins } = await openScene(t, { copies: [other], lines });
  t.true((await daemon.get(path)).body.equals(other));
  await daemon.logged(/stored "distfiles/);
  const control = await readFile(join(daemon.cacheDir, path));
  t.true(control.equals(other));
  t.is(origins[0]?.count(), 1);
});

test('a file that only SHA512 is known of is held against that', async (t) => {
  const sha512 = (line: string) => line.replace(/ BLAKE2B \w+/, '');
  const lines = [sha512(distLine(name, right))];
  const { daemon } = await openScene(t, { copies: [spoilt(size - 1), right], lines });
  t.true((await daemon.get(path)).body.equals(right));
  await daemon.logged(/stored "distfiles/);
});

test('a name of no Manifest is served and stored as ever', async (t) => {
  const { daemon } = await openScene(t, { copies: [right], lines: [distLine('other.tar.gz', '')] });
  t.true((await daemon.get(path)).body.equals(right));
  await daemon.logged(/stored "distfiles/);
});
