import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Body, SharedHandle } from '../../daemon/cache/body.ts';
import { GrowingBody } from '../../daemon/cache/growing-body.ts';
import { tempDir } from '../helpers/files.ts';

const wrong = new Error('what was sent before is not the file');

async function grow(t: ExecutionContext, text: string, length = text.length): Promise<GrowingBody> {
  const path = join(await tempDir(t), 'partial');
  await writeFile(path, text);
  return new GrowingBody(new SharedHandle(await open(path)), length);
}

/** A reader that was given the first bytes. */
function readerAt(body: GrowingBody, offset: number): Body {
  const reader = body.reader();
  reader.passed(offset);
  return reader;
}

async function textOf(reader: Body): Promise<string> {
  const bytes = Buffer.alloc(reader.available());
  await reader.handle.read(bytes, 0, bytes.length, 0);
  return String(bytes);
}

test('what is withheld is given when the body is finished, and not when it is only whole', async (t) => {
  const body = await grow(t, '0123456789');
  body.withhold(4);
  const reader = body.reader();
  body.reach(5);
  t.is(reader.available(), 5);
  body.reach(10);
  body.seal();
  t.is(reader.available(), 6);
  t.false(body.complete);
  const more = reader.whenBeyond(6);
  body.finish();
  await more;
  t.is(reader.available(), 10);
  t.true(body.complete);
});

test('of a body of unknown length the last bytes so far are withheld', async (t) => {
  const body = await grow(t, '0123456789');
  body.length = undefined;
  body.withhold(4);
  const reader = body.reader();
  for (const [reached, open] of [
    [3, 0],
    [6, 2],
    [10, 6],
  ] as const) {
    body.reach(reached);
    t.is(reader.available(), open);
  }
});

test('a reader goes over to a copy that agrees with all it was given', async (t) => {
  const former = await grow(t, 'abcdeXXXXX');
  const next = await grow(t, 'abcdefghij');
  former.reach(10);
  const reader = readerAt(former, 5);
  former.succeedBy(next, wrong);
  // Nobody knows yet, so that nothing is given.
  t.is(reader.available(), 0);
  const waiting = reader.whenBeyond(5);
  next.reach(10);
  former.agreeUpTo(5);
  await waiting;
  t.is(await textOf(reader), 'abcdefghij');
});

test('a reader that was given a wrong byte is told, and no other', async (t) => {
  const former = await grow(t, 'abcdeXXXXX');
  const next = await grow(t, 'abcdefghij');
  former.reach(10);
  const [right, late, misled] = [5, 0, 6].map((offset) => readerAt(former, offset));
  former.succeedBy(next, wrong);
  const waiting = misled?.whenBeyond(6);
  next.reach(10);
  former.agreeUpTo(4);
  former.differFrom(5);
  await t.throwsAsync(waiting ?? Promise.resolve(), { is: wrong });
  t.throws(() => misled?.available(), { is: wrong });
  t.is(right?.available(), 10);
  t.is(late?.available(), 10);
});

test('a reader that was promised another length is told', async (t) => {
  const former = await grow(t, 'abc');
  const reader = former.reader();
  former.succeedBy(await grow(t, 'abcd'), wrong);
  t.throws(() => reader.available(), { is: wrong });
});

test('a reader follows from copy to copy', async (t) => {
  const [first, second, third] = await Promise.all(['aXXX', 'abXX', 'abcd'].map((x) => grow(t, x)));
  if (first === undefined || second === undefined || third === undefined) return t.fail();
  const reader = readerAt(first, 1);
  for (const body of [first, second, third]) body.reach(4);
  first.succeedBy(second, wrong);
  first.differFrom(1);
  second.succeedBy(third, wrong);
  second.differFrom(2);
  t.is(reader.available(), 4);
  t.is(await textOf(reader), 'abcd');
});

test('who waits for a copy that never comes is told why', async (t) => {
  const former = await grow(t, 'abcd');
  former.reach(4);
  const reader = readerAt(former, 2);
  former.succeedBy(await grow(t, 'abcd'), wrong);
  const waiting = reader.whenBeyond(2);
  const reason = new Error('no source has it');
  former.fail(reason);
  await t.throwsAsync(waiting, { is: reason });
});

test('a copy is closed when the last reader went over, and not before', async (t) => {
  const path = join(await tempDir(t), 'partial');
  await writeFile(path, 'abcd');
  const handle = await open(path);
  const file = new SharedHandle(handle);
  const former = new GrowingBody(file, 4);
  const next = await grow(t, 'abcd');
  const reader = former.reader();
  former.succeedBy(next, wrong);
  former.agreeUpTo(4);
  file.release();
  await handle.stat();
  reader.available();
  await t.throwsAsync(handle.stat(), { code: 'EBADF' });
  reader.release();
});
