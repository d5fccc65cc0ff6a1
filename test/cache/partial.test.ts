import { readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { Body } from '../../daemon/cache/body.ts';
import { Partial, type PartialEvents } from '../../daemon/cache/partial.ts';
import { bodyOf } from '../helpers/body.ts';
import { tempDir, writeTree } from '../helpers/files.ts';

interface Heard extends PartialEvents {
  readonly drains: number;
  readonly failures: readonly Error[];
  readonly differences: readonly number[];
}

function listen(): Heard {
  const failures: Error[] = [];
  const differences: number[] = [];
  let drains = 0;
  return {
    get drains() {
      return drains;
    },
    failures,
    differences,
    drained: () => {
      drains += 1;
    },
    failed: (error) => failures.push(error),
    differs: (offset) => differences.push(offset),
  };
}

async function createAt(t: ExecutionContext, path: string, length?: number): Promise<Partial> {
  const partial = await Partial.create(path, length);
  t.teardown(() => partial.handle.close().catch(() => {}));
  return partial;
}

async function create(t: ExecutionContext, length?: number): Promise<Partial> {
  return createAt(t, join(await tempDir(t), 'partial'), length);
}

async function fill(partial: Partial, bytes: Buffer): Promise<void> {
  partial.write(bytes);
  await partial.flushed();
}

/** Reads like a client: what is there, then waits for more. */
async function follow(body: Body, pace: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let offset = 0; ; ) {
    await body.whenBeyond(offset);
    if (offset === body.length) return Buffer.concat(pieces);
    const piece = Buffer.alloc(Math.min(pace, body.available() - offset));
    await body.handle.read(piece, 0, piece.length, offset);
    pieces.push(piece);
    offset += piece.length;
  }
}

test('followers of any pace get every byte, whatever the pieces it arrives in', async (t) => {
  const folder = await tempDir(t);
  let runs = 0;
  const pieces = fc.array(fc.integer({ min: 1, max: 70_000 }), { maxLength: 12 });
  const paces = fc.array(fc.integer({ min: 100, max: 100_000 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(pieces, paces, async (sizes, readers) => {
      const whole = bodyOf(
        runs,
        sizes.reduce((sum, size) => sum + size, 0),
      );
      runs += 1;
      const partial = await createAt(t, join(folder, String(runs)));
      const following = readers.map((pace) => follow(partial.body.reader(), pace));
      let at = 0;
      for (const size of sizes) {
        partial.write(whole.subarray(at, at + size));
        at += size;
        if (size % 2 === 0) await partial.flushed();
      }
      await partial.flushed();
      partial.body.finish();
      for (const got of await Promise.all(following)) t.true(got.equals(whole));
      t.true((await readFile(partial.path)).equals(whole));
    }),
    { numRuns: 25 },
  );
});

test('no byte is announced before it is in the file', async (t) => {
  const partial = await create(t);
  const bytes = bodyOf('announced', 3 * 1024 ** 2);
  for (let at = 0; at < bytes.length; at += 64 * 1024) {
    partial.write(bytes.subarray(at, at + 64 * 1024));
  }
  t.is(partial.body.committed, 0);
  t.is(partial.taken, bytes.length);
  const reader = partial.body.reader();
  await reader.whenBeyond(0);
  const announced = reader.available();
  const { buffer } = await reader.handle.read(Buffer.alloc(announced), 0, announced, 0);
  t.true(buffer.equals(bytes.subarray(0, announced)));
  await partial.flushed();
  t.is(reader.available(), bytes.length);
});

test('a disk that is slower than the source asks it to wait, and calls it back', async (t) => {
  const partial = await create(t);
  const heard = listen();
  partial.attend({ events: heard, position: 0 });
  t.true(partial.write(Buffer.alloc(512 * 1024)));
  t.false(partial.write(Buffer.alloc(512 * 1024)));
  t.is(heard.drains, 0);
  await partial.flushed();
  t.true(heard.drains > 0);
  t.true(partial.write(Buffer.alloc(1)));
  await partial.flushed();
});

test('a file that cannot be written is told once, and no byte of it is announced', async (t) => {
  const partial = await create(t, 100);
  const heard = listen();
  partial.attend({ events: heard, position: 0 });
  await fill(partial, Buffer.alloc(10));
  await partial.handle.close();
  await fill(partial, Buffer.alloc(10));
  await fill(partial, Buffer.alloc(10));
  t.is(heard.failures.length, 1);
  t.is(partial.body.committed, 10);
});

test('a new partial leaves the readers of the old one their bytes', async (t) => {
  const old = await create(t, 3);
  await fill(old, Buffer.from('old'));
  const reader = old.body.reader();
  old.release();
  const fresh = await createAt(t, old.path, 5);
  await fill(fresh, Buffer.from('fresh'));
  t.is(String(await follow(reader, 2)), 'old');
  t.is(String(await readFile(fresh.path)), 'fresh');
  reader.release();
});

test('a symlink where the partial belongs is replaced, and its target is untouched', async (t) => {
  const folder = await tempDir(t);
  await writeTree(folder, { precious: 'precious' });
  await symlink(join(folder, 'precious'), join(folder, 'partial'));
  const partial = await createAt(t, join(folder, 'partial'));
  await fill(partial, Buffer.from('bytes'));
  t.is(await readFile(join(folder, 'precious'), 'utf8'), 'precious');
  t.is(await readFile(partial.path, 'utf8'), 'bytes');
});

test('what comes after the release goes nowhere, and its readers read on', async (t) => {
  const partial = await create(t, 5);
  await fill(partial, Buffer.from('bytes'));
  const reader = partial.body.reader();
  partial.release();
  t.true(partial.write(Buffer.from('more')));
  await partial.flushed();
  t.is(String(await follow(reader, 5)), 'bytes');
  t.is((await stat(partial.path)).size, 5);
  reader.release();
});

test('a copy of what is there changes nothing, and the rest of it is appended', async (t) => {
  const bytes = bodyOf('copy', 200_000);
  const partial = await create(t, bytes.length);
  await fill(partial, bytes.subarray(0, 70_001));
  const heard = listen();
  partial.attend({ events: heard, position: 0 });
  for (let at = 0; at < bytes.length; at += 33_333) {
    await fill(partial, bytes.subarray(at, at + 33_333));
    t.true(partial.body.committed >= 70_001);
  }
  t.deepEqual(heard.differences, []);
  t.true((await readFile(partial.path)).equals(bytes));
  t.true(partial.body.complete);
});

test('a copy that is another file is told at its first byte that differs', async (t) => {
  const bytes = bodyOf('known', 100_000);
  const partial = await create(t, bytes.length);
  await fill(partial, bytes.subarray(0, 80_000));
  const heard = listen();
  partial.attend({ events: heard, position: 0 });
  const other = Buffer.from(bytes);
  other[65_537] = (other[65_537] ?? 0) ^ 1;
  await fill(partial, other.subarray(0, 50_000));
  await fill(partial, other.subarray(50_000));
  t.deepEqual(heard.differences, [65_537]);
  t.true((await readFile(partial.path)).equals(bytes.subarray(0, 80_000)));
});

test('a longer copy is told at the end of what is there, and never appended', async (t) => {
  const partial = await create(t, 10);
  await fill(partial, Buffer.from('bytes'));
  const heard = listen();
  partial.attend({ events: heard, position: 0, foreign: true });
  await fill(partial, Buffer.from('bytes and more'));
  t.deepEqual(heard.differences, [5]);
  t.is((await stat(partial.path)).size, 5);
});

test('of a reopened partial only what counts is left, and is read once it is proven', async (t) => {
  const path = join(await tempDir(t), 'partial');
  await writeFile(path, 'bytes that were not safe');
  const partial = await Partial.reopen({ path, length: 11, written: 5 });
  t.teardown(() => partial.handle.close().catch(() => {}));
  const reader = partial.body.reader();
  t.is(reader.available(), 0);
  t.is((await stat(path)).size, 5);
  partial.attend({ events: listen(), position: partial.written });
  partial.confirm();
  t.is(reader.available(), 5);
  await fill(partial, Buffer.from(' whole'));
  t.is(String(await follow(reader, 100)), 'bytes whole');
});

test('a partial that became shorter meanwhile is not gone on with: no zeros come in between', async (t) => {
  const path = join(await tempDir(t), 'partial');
  await writeFile(path, 'four');
  const error = await t.throwsAsync(Partial.reopen({ path, length: 11, written: 5 }));
  t.is(error.message, 'it became shorter');
  t.is((await stat(path)).size, 4);
});
