import { type EventEmitter, once } from 'node:events';
import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { SharedHandle, storedBody } from '../../daemon/cache/body.ts';
import { GrowingBody } from '../../daemon/cache/growing-body.ts';
import { tempDir } from '../helpers/files.ts';

interface Growing {
  readonly file: SharedHandle;
  readonly handle: FileHandle;
  readonly body: GrowingBody;
}

async function grow(t: ExecutionContext, length: number | undefined): Promise<Growing> {
  const path = join(await tempDir(t), 'partial');
  await writeFile(path, 'bytes of a package');
  const handle = await open(path);
  t.teardown(() => handle.close().catch(() => {}));
  const file = new SharedHandle(handle);
  return { file, handle, body: new GrowingBody(file, length) };
}

// @types/node lacks that a FileHandle is an EventEmitter.
function closeOf(handle: FileHandle): Promise<unknown> {
  return once(handle as unknown as EventEmitter, 'close');
}

/** Whether a promise is still undecided after all that was already on its way. */
async function isWaiting(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  for (let turn = 0; turn < 3; turn += 1) await nextTurn();
  return !settled;
}

test('a reader sleeps until its own byte is there, and not for less', async (t) => {
  const { body } = await grow(t, 100);
  const waiting = body.reader().whenBeyond(10);
  body.reach(10);
  t.true(await isWaiting(waiting));
  body.reach(11);
  await waiting;
  t.is(body.committed, 11);
});

test('one growth wakes every reader it is enough for', async (t) => {
  const { body } = await grow(t, 1000);
  const near = Array.from({ length: 300 }, (_, at) => body.reader().whenBeyond(at));
  const far = body.reader().whenBeyond(300);
  body.reach(300);
  await Promise.all(near);
  t.true(await isWaiting(far));
});

test('growth never goes back', async (t) => {
  const { body } = await grow(t, 100);
  body.reach(50);
  body.reach(20);
  t.is(body.reader().available(), 50);
});

test('a body whose length is known is whole with its last byte', async (t) => {
  const { body } = await grow(t, 20);
  const reader = body.reader();
  const waiting = reader.whenBeyond(20);
  body.reach(19);
  t.false(body.complete);
  t.true(await isWaiting(waiting));
  body.reach(20);
  t.true(body.complete);
  await waiting;
  t.is(reader.available(), 20);
});

test('a body of unknown length has one when it is finished, for readers of before too', async (t) => {
  const { body } = await grow(t, undefined);
  const reader = body.reader();
  const waiting = reader.whenBeyond(30);
  body.reach(30);
  t.is(reader.length, undefined);
  t.true(await isWaiting(waiting));
  body.finish();
  await waiting;
  t.is(reader.length, 30);
  t.true(body.complete);
});

test('an empty body is whole at once', async (t) => {
  const { body } = await grow(t, 0);
  await body.reader().whenBeyond(0);
  t.true(body.complete);
});

test('a failure reaches those who wait and those who come later, with its first reason', async (t) => {
  const { body } = await grow(t, 100);
  body.reach(10);
  const waiting = [10, 50, 99].map((offset) =>
    t.throwsAsync(body.reader().whenBeyond(offset), { message: 'the source is gone' }),
  );
  body.fail(new Error('the source is gone'));
  body.fail(new Error('the reader is gone'));
  await Promise.all(waiting);
  await t.throwsAsync(body.reader().whenBeyond(10), { message: 'the source is gone' });
});

test('what arrived before a failure can still be read', async (t) => {
  const { body } = await grow(t, 100);
  body.reach(10);
  body.fail(new Error('gone'));
  await t.notThrowsAsync(body.reader().whenBeyond(9));
});

test('a body that is whole cannot fail any more', async (t) => {
  const { body } = await grow(t, 10);
  body.reach(10);
  body.fail(new Error('the disk'));
  await t.notThrowsAsync(body.reader().whenBeyond(10));
});

test('a late reader gets byte 0 although nothing grows', async (t) => {
  const { body } = await grow(t, 100);
  body.reach(5);
  const reader = body.reader();
  await reader.whenBeyond(0);
  const { buffer } = await reader.handle.read(Buffer.alloc(5), 0, 5, 0);
  t.is(String(buffer), 'bytes');
});

test('the file is closed when the last one lets go, writer or reader, and not before', async (t) => {
  const { body, file, handle } = await grow(t, 18);
  const [first, second] = [body.reader(), body.reader()];
  const closed = closeOf(handle);
  first.release();
  file.release();
  const { bytesRead } = await second.handle.read(Buffer.alloc(18), 0, 18, 0);
  t.is(bytesRead, 18);
  second.release();
  await closed;
  t.is(handle.fd, -1);
});

test('a stored body is all there, and gives its file back', async (t) => {
  const { file, handle } = await grow(t, undefined);
  const body = storedBody({ file, size: 18 });
  t.is(body.length, 18);
  t.is(body.available(), 18);
  await body.whenBeyond(18);
  const closed = closeOf(handle);
  body.release();
  await closed;
  t.is(handle.fd, -1);
});
