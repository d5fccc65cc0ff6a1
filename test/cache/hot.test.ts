import { open, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { mock } from 'node:test';
import test, { type ExecutionContext } from 'ava';
import type { Entry } from '../../daemon/cache/entry.ts';
import { createHotStore, type HotLimits } from '../../daemon/cache/hot.ts';
import { CacheError } from '../../daemon/errors.ts';
import { makeCache, someTime } from '../helpers/cache.ts';
import { bodyOf } from '../helpers/origin.ts';
import { openFiles } from '../helpers/process.ts';

const recheck = 2000;

async function openHot(t: ExecutionContext, limits: Partial<HotLimits> = {}) {
  const cache = await makeCache(t);
  let now = 0;
  const hot = createHotStore(cache.store, { files: 10, bytes: 1000, ...limits }, () => now);
  t.teardown(() => hot.cool());
  return {
    ...cache,
    hot,
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
    /** What a client gets now. */
    read: async (key: string) => {
      const entry = hot.peek(key) ?? (await hot.find(key));
      if (entry === undefined) return undefined;
      try {
        return entry.bytes ?? (await bytesOf(entry));
      } finally {
        entry.file.release();
      }
    },
  };
}

async function bytesOf({ file, size }: Entry): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  await file.handle.read(bytes, 0, size, 0);
  return bytes;
}

/** How often this process has a file open. */
async function timesOpen(path: string): Promise<number> {
  return (await openFiles(process.pid)).filter((name) => name.startsWith(path)).length;
}

test('an entry is opened once for many readers, and closed when it is let go', async (t) => {
  const { put, hot, read } = await openHot(t);
  const { path } = await put('a/large', bodyOf('large', 100_000));
  for (let time = 0; time < 5; time += 1) {
    t.true((await read('a/large'))?.equals(bodyOf('large', 100_000)));
  }
  t.is(await timesOpen(path), 1);
  t.deepEqual(hot.held, { files: 1, bytes: 0 });
  hot.cool();
  t.deepEqual(hot.held, { files: 0, bytes: 0 });
});

test('a small body that is asked for again is kept in memory, and nothing is waited for', async (t) => {
  const { put, hot, read } = await openHot(t);
  await put('small', 'bytes');
  await read('small');
  t.deepEqual(hot.held, { files: 1, bytes: 0 });
  t.is(String(await read('small')), 'bytes');
  t.deepEqual(hot.held, { files: 1, bytes: 5 });
  const entry = hot.peek('small');
  t.is(String(entry?.bytes), 'bytes');
  entry?.file.release();
});

test('a file replaced on disk is noticed within two seconds', async (t) => {
  const { put, read, pass } = await openHot(t);
  const { path } = await put('small', 'old');
  await read('small');
  await read('small');
  await writeFile(`${path}.new`, 'new');
  await rename(`${path}.new`, path);
  pass(recheck);
  t.is(String(await read('small')), 'old');
  pass(1);
  t.is(String(await read('small')), 'new');
});

test('a file written anew in place is noticed, though it is as long and as old as before', async (t) => {
  const { put, read, pass } = await openHot(t);
  const { path } = await put('small', 'old');
  await read('small');
  await read('small');
  const handle = await open(path, 'r+');
  await handle.write('new', 0);
  await handle.close();
  await utimes(path, someTime, someTime + 0.5);
  pass(recheck + 1);
  t.is(String(await read('small')), 'new');
});

test('a file removed on disk is noticed within two seconds', async (t) => {
  const { put, read, pass, hot } = await openHot(t);
  const { path } = await put('small', 'bytes');
  await read('small');
  await rm(path);
  pass(recheck + 1);
  t.is(await read('small'), undefined);
  t.deepEqual(hot.held, { files: 0, bytes: 0 });
});

test('what is removed or stored anew through the store is noticed at once', async (t) => {
  const { put, read, hot } = await openHot(t);
  await put('small', 'old');
  await read('small');
  await read('small');
  t.like(await hot.remove('small'), { key: 'small', size: 3 });
  t.is(await read('small'), undefined);
});

test('a reader keeps its file when others let it go', async (t) => {
  const { put, hot } = await openHot(t);
  await put('large', bodyOf('kept', 100_000));
  const entry = (await hot.find('large')) as Entry;
  await hot.remove('large');
  t.true((await bytesOf(entry)).equals(bodyOf('kept', 100_000)));
  entry.file.release();
});

test('an entry that changes while it is opened is not kept', async (t) => {
  const { put, hot } = await openHot(t);
  await put('small', 'old');
  const finding = hot.find('small');
  await hot.remove('small');
  (await finding)?.file.release();
  t.deepEqual(hot.held, { files: 0, bytes: 0 });
});

test('of files and of bytes no more is kept than allowed: what was asked for last', async (t) => {
  const { put, read, hot } = await openHot(t, { files: 3, bytes: 10 });
  for (const key of ['a', 'b', 'c', 'd']) {
    await put(key, 'four');
    await read(key);
    await read(key);
  }
  t.deepEqual(hot.held, { files: 2, bytes: 8 });
  t.is(hot.peek('a'), undefined);
  const last = hot.peek('d');
  t.is(last?.key, 'd');
  last?.file.release();
});

test('what nobody asks for is let go after a while', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.teardown(() => mock.timers.reset());
  const { put, read, hot, pass } = await openHot(t);
  await put('a', 'bytes');
  await read('a');
  pass(10_000);
  mock.timers.tick(5000);
  t.is(hot.held.files, 1);
  pass(1);
  mock.timers.tick(5000);
  t.is(hot.held.files, 0);
});

test('what is kept makes room when no more files can be opened', async (t) => {
  const { put, store } = await openHot(t);
  await put('a', 'bytes');
  await put('b', 'bytes');
  let full = false;
  const hot = createHotStore(
    {
      ...store,
      find: async (key) => {
        if (!full || hot.held.files === 0) return await store.find(key);
        const cause = Object.assign(new Error('too many open files'), { code: 'EMFILE' });
        throw new CacheError('storage', { verb: 'read', thing: key, reason: 'EMFILE', cause });
      },
    },
    { files: 10, bytes: 10 },
  );
  t.teardown(() => hot.cool());
  (await hot.find('a'))?.file.release();
  full = true;
  const entry = await hot.find('b');
  t.is(entry?.key, 'b');
  entry?.file.release();
});

test('a use is noted once for many clients, and a last use is known to the next', async (t) => {
  const { put, hot } = await openHot(t);
  const { path } = await put('a', 'bytes');
  await utimes(path, someTime, someTime);
  // The change time is now; only then does the file look as old as it is.
  const entry = (await hot.find('a')) as Entry;
  const old = { ...entry, lastUse: 0 };
  await hot.touch(old);
  const next = hot.peek('a') ?? ((await hot.find('a')) as Entry);
  t.true(Date.now() - next.lastUse < 60_000);
  t.is(hot.touch(next), undefined);
  entry.file.release();
  next.file.release();
});
