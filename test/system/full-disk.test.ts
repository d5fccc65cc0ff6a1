import { execFile } from 'node:child_process';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { open } from '../helpers/client.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { mountTmpfs } from '../helpers/mounts.ts';
import { bodyOf, type Gate, gate, type Origin, startOrigin } from '../helpers/origin.ts';

const run = promisify(execFile);
const MiB = 1024 * 1024;
const path = '/distfiles/ab/big-1.0.tar.xz';
const other = '/distfiles/cd/other-1.0.tar.xz';
const body = bodyOf('full disk', 8 * MiB);
const small = bodyOf('small', 100_000);

/** An origin whose body stops half-way, the first time it is asked for. */
async function halvedOrigin(t: ExecutionContext, halfway: Gate): Promise<Origin> {
  return startOrigin(t, {
    files: {
      [other]: small,
      [path]: (_request, time) =>
        time === 1 ? { body, chunks: { gate: halfway, after: 4 * MiB } } : { body },
    },
  });
}

const fillUp = (directory: string) =>
  run('sh', ['-c', `cat /dev/zero > '${join(directory, 'filler')}'`]).catch(() => {});

test('a disk that fills up under a download is not noticed by its readers', async (t) => {
  const directory = await mountTmpfs(t, { options: 'size=16m' });
  if (directory === undefined) return;
  const halfway = gate();
  const origin = await halvedOrigin(t, halfway);
  const cacheDir = join(directory, 'cache');
  const daemon = await startDaemon(t, { sources: [origin.url], cacheDir, conf: { MIN_FREE: '0' } });
  t.true((await daemon.get(other)).body.equals(small));
  const first = open({ port: daemon.port, target: path, t });
  const slow = open({ port: daemon.port, target: path, t });
  await halfway.reached;
  t.is((await slow.head).status, 200);
  await fillUp(directory);
  halfway.open();
  const [whole, late] = await Promise.all([first.rest(), slow.rest()]);
  t.true(whole.body.equals(body));
  t.true(late.body.equals(body));
  t.is(whole.ended, 'complete');
  await daemon.logged(/not storing/);
  const tails = origin.requests.filter(({ headerOf }) => headerOf('range') !== undefined);
  t.true(tails.length >= 2);
  t.deepEqual(await readdir(join(cacheDir, 'distfiles')), ['cd']);

  const joiner = await daemon.get(path);
  t.true(joiner.body.equals(body));
  t.regex(joiner.header('cache-status') ?? '', /fwd=uri-miss; detail=/);
  t.notRegex(joiner.header('cache-status') ?? '', /stored/);
  const part = await daemon.get(path, { fields: [['Range', 'bytes=1000000-1000099']] });
  t.is(part.status, 206);
  t.true(part.body.equals(body.subarray(1_000_000, 1_000_100)));
  const hit = await daemon.get(other);
  t.regex(hit.header('cache-status') ?? '', /hit/);
  t.true(hit.body.equals(small));
});

test('storing resumes by itself when there is room again', async (t) => {
  const directory = await mountTmpfs(t, { options: 'size=16m' });
  if (directory === undefined) return;
  const origin = await startOrigin(t, { files: { [path]: body } });
  const cacheDir = join(directory, 'cache');
  const daemon = await startDaemon(t, { sources: [origin.url], cacheDir });
  await writeFile(join(directory, 'filler'), Buffer.alloc(15.5 * MiB));
  const passed = await daemon.get(path);
  t.true(passed.body.equals(body));
  t.regex(passed.header('cache-status') ?? '', /detail=min-free/);
  await daemon.logged(/not storing/);
  await rm(join(directory, 'filler'));
  const stored = await daemon.get(path);
  t.true(stored.body.equals(body));
  t.regex(stored.header('cache-status') ?? '', /stored/);
  await daemon.logged(/storing again/);
  await daemon.logged(/stored "distfiles/);
  const hit = await daemon.get(path);
  t.regex(hit.header('cache-status') ?? '', /hit/);
});
