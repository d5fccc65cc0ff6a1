import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { open } from '../helpers/client.ts';
import { type Answer, bodyOf, gate } from '../helpers/origin.ts';
import { name, openScene, path, right, size, spoilt, withheld } from './verified.ts';

const otherDate = 'Thu, 02 Jan 2025 00:00:00 GMT';

test('a broken body goes on from a source with another date: the digest decides', async (t) => {
  const first = (_: unknown, time: number): Answer =>
    time === 1 ? { body: right, resetAfter: 200_000 } : { status: 503 };
  const second = { body: right, lastModified: otherDate };
  const { daemon, origins } = await openScene(t, { copies: [first, second] });
  const answer = await daemon.get(path);
  t.like(answer, { status: 200, ended: 'complete' });
  t.true(answer.body.equals(right));
  t.regex(origins[1]?.requests[0]?.headerOf('range') ?? '', /^bytes=\d+-$/);
  t.is(origins[1]?.requests[0]?.headerOf('if-range'), undefined);
  await daemon.logged(/stored "distfiles/);
});

test('a body of two halves that do not fit is fetched anew, whole, and blames nobody', async (t) => {
  let broken = false;
  const first = (): Answer => {
    if (broken) return { body: right };
    broken = true;
    return { body: spoilt(100), resetAfter: 200_000 };
  };
  const { daemon } = await openScene(t, { copies: [first] });
  const answer = await daemon.get(path);
  // Its first bytes were given, and were wrong.
  t.is(answer.ended, 'reset');
  await daemon.logged(/from several sources is not the file|from http:\S+ is not the file/);
  const again = await daemon.get(path);
  t.true(again.body.equals(right));
});

for (const [what, copy] of [
  ['chunks', { body: right, length: 'chunked' }],
  ['neither a length nor chunks', { body: right, length: 'none' }],
] as const) {
  test(`a source that sends ${what} is told from the Manifest how long the file is`, async (t) => {
    const { daemon } = await openScene(t, { copies: [copy] });
    const answer = await daemon.get(path);
    t.is(answer.header('content-length'), String(size));
    t.true(answer.body.equals(right));
    await daemon.logged(/stored "distfiles/);
  });
}

test('a body without a length that ends early is continued, and never taken for whole', async (t) => {
  const first = (_: unknown, time: number): Answer =>
    time === 1 ? { body: right.subarray(0, 100_000), length: 'none' } : { body: right };
  const { daemon } = await openScene(t, { copies: [first] });
  const answer = await daemon.get(path);
  t.like(answer, { status: 200, ended: 'complete' });
  t.true(answer.body.equals(right));
});

test('a partial of a killed daemon is hashed from its first byte', async (t) => {
  const held = gate();
  const first = (_: unknown, time: number): Answer =>
    time === 1
      ? { body: right, chunks: { size: 1000, gate: held, after: 300_000 } }
      : { body: right };
  const { daemon, origins } = await openScene(t, { copies: [first] });
  const client = open({ port: daemon.port, target: path, t });
  await client.read(200_000);
  client.destroy();
  await daemon.restart();
  held.open();
  t.true((await daemon.get(path)).body.equals(right));
  await daemon.logged(/stored "distfiles/);
  t.regex(origins[0]?.requests[1]?.headerOf('range') ?? '', /^bytes=\d+-$/);
});

test('a range before the end is answered while the rest is on its way', async (t) => {
  const held = gate();
  const copy = { body: right, chunks: { size: 1000, gate: held, after: size - 1 } };
  const { daemon } = await openScene(t, { copies: [copy] });
  const range = `bytes=1000-${size - withheld - 1}`;
  const part = await daemon.get(path, { fields: [['Range', range]] });
  t.is(part.status, 206);
  t.true(part.body.equals(right.subarray(1000, size - withheld)));
  held.open();
  await daemon.logged(/stored "distfiles/);
});

test('many clients of a copy that proves wrong get the right one, each at its own pace', async (t) => {
  const held = gate();
  const wrong = { body: spoilt(size - 10), chunks: { size: 10_000, gate: held, after: 100_000 } };
  const { daemon, origins } = await openScene(t, { copies: [wrong, right] });
  const clients = Array.from({ length: 20 }, () => daemon.get(path));
  await held.reached;
  held.open();
  for (const answer of await Promise.all(clients)) {
    t.is(answer.ended, 'complete');
    t.true(answer.body.equals(right));
  }
  t.deepEqual(
    origins.map((origin) => origin.count(path)),
    [1, 1],
  );
});

test('a right copy that breaks off after a wrong one is continued as any other', async (t) => {
  const second = (_: unknown, time: number): Answer =>
    time === 1 ? { body: right, cutAfter: 350_000 } : { body: right };
  const { daemon } = await openScene(t, { copies: [spoilt(size - 1), second] });
  const answer = await daemon.get(path);
  t.is(answer.ended, 'complete');
  t.true(answer.body.equals(right));
  await daemon.logged(/stored "distfiles/);
  t.true((await readFile(join(daemon.cacheDir, path))).equals(right));
});

test('what a source calls another file at its end is not glued to what was sent', async (t) => {
  const other = bodyOf('other', size);
  const { daemon } = await openScene(t, { copies: [other, { status: 404 }] });
  const answer = await daemon.get(path);
  t.is(answer.ended, 'reset');
  const resume = await daemon.get(path, { fields: [['Range', 'bytes=1000-']] });
  t.not(resume.status, 206);
  t.is(name, 'big-1.0.tar.xz');
});

test('what is passed on for want of room is proven too, before its last bytes go out', async (t) => {
  const copies = [spoilt(size - 1)];
  const { daemon, origins } = await openScene(t, { copies, conf: { MIN_FREE: '99%' } });
  const answer = await daemon.get(path);
  t.regex(answer.header('cache-status') ?? '', /detail=min-free/);
  t.is(answer.ended, 'reset');
  t.true(answer.body.length <= size - withheld);
  t.true(answer.body.equals(right.subarray(0, answer.body.length)));
  origins[0]?.serve(path, right);
  const again = await daemon.get(path);
  t.is(again.ended, 'complete');
  t.true(again.body.equals(right));
});

test('one source is no two, though its file came in two halves and then as a whole', async (t) => {
  const held = gate();
  const wrong = spoilt(size - 1);
  const copy = (_: unknown, time: number): Answer =>
    time === 1
      ? { body: wrong, chunks: { size: 1000, gate: held, after: 300_000 } }
      : { body: wrong };
  const { daemon } = await openScene(t, { copies: [copy] });
  const client = open({ port: daemon.port, target: path, t });
  await client.read(200_000);
  client.destroy();
  await daemon.restart();
  held.open();
  await daemon.logged(/from several sources is not the file/);
  t.not((await daemon.get(path)).ended, 'complete');
  t.false(daemon.log().some((line) => line.includes('two sources agree')));
});
