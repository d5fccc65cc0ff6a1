import { once } from 'node:events';
import { watch } from 'node:fs';
import { readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { open } from '../helpers/client.ts';
import { type Daemon, startDaemon } from '../helpers/daemon.ts';
import { writeTree } from '../helpers/files.ts';
import { bodyOf, defaultLastModified, gate, startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';

const body = bodyOf('package', 200_003);
const modified = Date.parse(defaultLastModified) / 1000;

const scene = share(test, async (t) => {
  const origin = await startOrigin(t, { files: { '*': { body } } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  return { origin, daemon };
});

/** A package that an admin has put there, and that looks last used ten minutes ago. */
async function plant(name: string, content: Buffer | string = body) {
  const target = `/distfiles/3c/${name}.tar.xz`;
  const { cacheDir } = scene().daemon;
  const path = join(cacheDir, target);
  await writeTree(cacheDir, { [`${target}.tmp`]: content });
  await utimes(`${path}.tmp`, Date.now() / 1000 - 600, modified);
  await rename(`${path}.tmp`, path);
  return { target, path };
}

test('a package is a plain file at a plain path, with the date of its source', async (t) => {
  const { daemon } = scene();
  const target = '/distfiles/3c/plain.tar.xz';
  await daemon.get(target);
  await daemon.logged(/stored ".*\/plain/);
  const path = join(daemon.cacheDir, target);
  t.true((await readFile(path)).equals(body));
  t.is((await stat(path)).mtimeMs, modified * 1000);
});

test('a plain file that somebody has put there is a package like any other', async (t) => {
  const { origin, daemon } = scene();
  const { target } = await plant('put-there', 'put there');
  const hit = await daemon.get(target);
  t.is(String(hit.body), 'put there');
  t.is(hit.header('last-modified'), defaultLastModified);
  t.is(hit.header('etag'), `"${modified.toString(16)}-9"`);
  t.is(origin.count(target), 0);
});

test('nothing is at the path of a package before all of it is', async (t) => {
  const { origin, daemon } = scene();
  const held = gate();
  const folder = join(daemon.cacheDir, 'distfiles/whole');
  const target = '/distfiles/whole/package.tar.xz';
  origin.serve(target, { body, chunks: { gate: held, after: body.length - 1 } });
  const stream = open({ port: daemon.port, target, t });
  await stream.read(body.length - 1);
  await t.throwsAsync(readdir(folder), { code: 'ENOENT' });
  held.open();
  await stream.rest();
  await daemon.logged(/stored ".*whole\/package/);
  t.deepEqual(await readdir(folder), ['package.tar.xz']);
});

const uses: readonly [status: number, fields: [string, string][]][] = [
  [200, []],
  [206, [['Range', 'bytes=5-9']]],
  [304, [['If-Modified-Since', defaultLastModified]]],
];

for (const [status, fields] of uses) {
  test(`a ${status} counts as a use, and leaves the date of the package alone`, async (t) => {
    const { daemon } = scene();
    const { target, path } = await plant(`use-${status}`);
    const watcher = watch(path);
    t.teardown(() => watcher.close());
    const changed = once(watcher, 'change');
    t.is((await daemon.get(target, { fields })).status, status);
    await changed;
    const { atimeMs, mtimeMs } = await stat(path);
    t.true(Math.abs(Date.now() - atimeMs) < 60_000);
    t.is(mtimeMs, modified * 1000);
  });
}

/** Asks until that is the answer: what others do on disk is noticed within seconds, not at once. */
async function answered(daemon: Daemon, target: string, expected: Buffer | string): Promise<void> {
  while (!(await daemon.get(target)).body.equals(Buffer.from(expected))) await delay(100);
}

test('a package that is replaced is soon served as it is, and one that is removed is fetched', async (t) => {
  const { origin, daemon } = scene();
  const { target, path } = await plant('by-the-admin', 'first');
  t.is(String((await daemon.get(target)).body), 'first');
  await plant('by-the-admin', 'second');
  await answered(daemon, target, 'second');
  t.is(origin.count(target), 0);
  await rm(path);
  await answered(daemon, target, body);
  t.is(origin.count(target), 1);
});

test('whoever reads a package that is replaced or removed gets the whole of the old one', async (t) => {
  const { daemon } = scene();
  // More than the socket buffers between the two ends can hold.
  const old = bodyOf('while-read', 16 * 1024 ** 2);
  const { target, path } = await plant('while-read', old);
  const paused = [0, 1].map(() => open({ port: daemon.port, target, t }));
  for (const reader of paused) {
    await reader.head;
    reader.pause();
  }
  await plant('while-read', 'another file of the same name');
  await answered(daemon, target, 'another file of the same name');
  await rm(path);
  for (const reader of paused) {
    reader.resume();
    const got = await reader.rest();
    t.is(got.ended, 'complete');
    t.true(got.body.equals(old));
  }
});

test('a use within the minute of the last one is not written down', async (t) => {
  const origin = await startOrigin(t, { files: { '*': { body } } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const target = '/distfiles/3c/often.tar.xz';
  await daemon.get(target);
  await daemon.logged(/stored/);
  const path = join(daemon.cacheDir, target);
  const { ctimeNs } = await stat(path, { bigint: true });
  for (let use = 0; use < 3; use += 1) await daemon.get(target);
  // What it still had to write is written when it has stopped.
  await daemon.stop();
  t.is((await stat(path, { bigint: true })).ctimeNs, ctimeNs);
});

test('the counters go on where the last run left them', async (t) => {
  const origin = await startOrigin(t, { files: { '*': { body } } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const target = '/distfiles/3c/counted.tar.xz';
  const file = join(daemon.cacheDir, '.package-cache/stats.json');
  const counted = async () => JSON.parse(await readFile(file, 'utf8'));
  await daemon.get(target);
  await daemon.logged(/stored/);
  await daemon.get(target);
  await daemon.stop();
  const before = await counted();
  t.like(before.lifetime, { requests: 2, hits: 1, misses: 1, fills: 1, errors: 0 });
  t.like(before.lifetime, { bytesServed: 2 * body.length, bytesFetched: body.length });
  await daemon.restart();
  await daemon.get(target);
  await daemon.stop();
  const after = await counted();
  t.is(after.since, before.since);
  t.like(after.lifetime, { requests: 3, hits: 2, misses: 1, bytesServed: 3 * body.length });
  t.is(after.lifetime.bytesHit - before.lifetime.bytesHit, body.length);
});

test('when somebody has removed all that there was, what comes next is stored as ever', async (t) => {
  const origin = await startOrigin(t, { files: { '*': { body } } });
  // With a limit the partials are counted, too.
  const conf = { MAX_SIZE: '1G', MUTABLE: 'dists/**' };
  const daemon = await startDaemon(t, { sources: [origin.url], conf });
  await daemon.get('/dists/before/InRelease');
  await daemon.logged(/stored "dists\/before/);
  for (const name of await readdir(daemon.cacheDir)) {
    await rm(join(daemon.cacheDir, name), { recursive: true });
  }
  for (const target of ['/distfiles/3c/after.tar.xz', '/dists/after/InRelease']) {
    t.true((await daemon.get(target)).body.equals(body));
    await daemon.logged(new RegExp(`stored "${target.slice(1)}"`));
    t.true((await daemon.get(target)).body.equals(body));
    t.is(origin.count(target), 1);
  }
  t.is((await daemon.stop()).code, 0);
  t.deepEqual(
    daemon.log().filter((line) => / (warn|error): Cannot/.test(line)),
    [],
  );
});

test('an index whose record cannot be kept is stored all the same, and fetched for the next', async (t) => {
  const target = '/dists/InRelease';
  const origin = await startOrigin(t, { files: { [target]: { body } } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const records = join(daemon.cacheDir, '.package-cache/meta');
  await rm(records, { recursive: true });
  await writeFile(records, 'in the way');
  for (const count of [1, 2]) {
    t.true((await daemon.get(target)).body.equals(body));
    await daemon.logged(/Cannot keep the record of "dists\/InRelease": ENOTDIR/);
    await daemon.logged(/stored "dists\/InRelease"/);
    t.is(origin.count(target), count);
  }
});
