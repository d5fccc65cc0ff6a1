import { execFileSync } from 'node:child_process';
import { renameSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { chmod, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { distfilePath } from '../../daemon/gentoo/distfile.ts';
import { type VerifyJob, type VerifyOrder, verify } from '../../daemon/room/verify.ts';
import type { VerifyProgress, WrongEntry } from '../../daemon/room/verify-book.ts';
import { digestRows } from '../helpers/digests.ts';
import { setAge } from '../helpers/entries.ts';
import { tempDir, writeTree } from '../helpers/files.ts';
import { bodyOf } from '../helpers/origin.ts';

const M = 1024 ** 2;
const body = bodyOf('right', 3 * M + 17);
const other = Buffer.from(body);
other[2 * M] = (other[2 * M] ?? 0) ^ 1;

/** What the Manifests name, all with one body. */
const names = ['a.tar.xz', 'b.tar.xz', 'c.tar.xz', 'd.tar.xz'] as const;
const digests = digestRows(names.map((name) => ({ name, body })));
const paths = names.map(distfilePath).toSorted();

const whole: VerifyOrder = {
  digests,
  rules: { immutable: [], mutable: [] },
  repositories: [],
  rate: 1e12,
};

async function cacheOf(t: ExecutionContext, files: Readonly<Record<string, Buffer | string>>) {
  const root = await tempDir(t);
  await writeTree(root, files);
  return root;
}

/** All four distfiles, at their places; some with another body. */
function four(wrong: Readonly<Record<string, Buffer | string>> = {}) {
  return Object.fromEntries(
    names.map((name) => [distfilePath(name), wrong[name] ?? body] as const),
  );
}

/** Verifies in this thread. */
function verified(root: string, order: Partial<VerifyOrder> = {}, hooks: Partial<VerifyJob> = {}) {
  const told: VerifyProgress[] = [];
  const summary = verify({
    root,
    order: { ...whole, ...order },
    now: () => 0,
    sleep: () => {},
    cancelled: () => false,
    progress: (progress) => told.push(progress),
    ...hooks,
  });
  const wrong: readonly WrongEntry[] = told.flatMap((progress) => progress.wrong);
  return { summary, told, wrong, keys: wrong.map(({ key }) => key) };
}

test('what is as a Manifest says is right, whatever the layout, the repository and the hash', async (t) => {
  const root = await cacheOf(t, {
    'distfiles/a.tar.xz': body,
    [distfilePath('b.tar.xz')]: body,
    [`gentoo/${distfilePath('c.tar.xz')}`]: body,
    'distfiles/d.tar.xz': 'of another age',
  });
  const both = digestRows([
    { name: 'a.tar.xz', body },
    { name: 'b.tar.xz', body, algorithm: 'sha512' },
    { name: 'c.tar.xz', body },
    { name: 'd.tar.xz', body },
    { name: 'd.tar.xz', body: 'of another age' },
  ]);
  const { summary, wrong } = verified(root, { digests: both, repositories: ['gentoo'] });
  t.deepEqual(wrong, []);
  const bytes = 3 * body.length + 14;
  t.like(summary, { verified: 4, bytes, unknown: 0, failed: 0, cancelled: false });
});

test('a wrong byte is found, and a wrong size without reading the file', async (t) => {
  const root = await cacheOf(t, four({ 'a.tar.xz': other, 'b.tar.xz': 'short' }));
  const { summary, wrong, told } = verified(root, {}, { sleep: () => {} });
  const found = Object.fromEntries(wrong.map(({ key, size, reason }) => [key, { size, reason }]));
  t.regex(
    found[distfilePath('a.tar.xz')]?.reason ?? '',
    /^expected BLAKE2B [0-9a-f]{16}…, found [0-9a-f]{16}…$/,
  );
  t.deepEqual(found[distfilePath('b.tar.xz')], {
    size: 5,
    reason: `expected ${body.length} bytes, found 5`,
  });
  t.like(summary, { verified: 2, unknown: 0, failed: 0 });
  t.like(told.at(-1), { entries: 4, total: 4, bytes: 3 * body.length + 5 });
  t.is(told.at(-1)?.totalBytes, 3 * body.length + 5);
  const { ino } = statSync(join(root, distfilePath('a.tar.xz')));
  t.is(wrong.find(({ key }) => key === distfilePath('a.tar.xz'))?.file.inode, ino);
});

test('what no Manifest names is left alone, and counted: other distfiles and all that is none', async (t) => {
  const root = await cacheOf(t, {
    'distfiles/unnamed.tar.xz': 'x',
    'releases/a.tar.xz': 'x',
    'distfiles/ff/a.tar.xz': 'below folders that are not of its name',
    'debian/distfiles/a.tar.xz': 'no repository of ours',
    'distfiles/d.tar.xz': 'may change',
  });
  const rules = { immutable: [], mutable: ['distfiles/d.*'] };
  const { summary, keys } = verified(root, { rules });
  t.like(summary, { verified: 0, unknown: 5, failed: 0 });
  t.deepEqual(keys, []);
});

test('only what matches, or has one of the names, is looked at', async (t) => {
  const root = await cacheOf(t, four({ 'a.tar.xz': 'x', 'b.tar.xz': 'x' }));
  const matching = /\/a\.tar\.xz$/;
  t.deepEqual(verified(root, { matching }).keys, [distfilePath('a.tar.xz')]);
  const some = new Set(['b.tar.xz', 'c.tar.xz', 'gone.tar.xz']);
  const { summary, keys } = verified(root, { names: some });
  t.deepEqual(keys, [distfilePath('b.tar.xz')]);
  t.like(summary, { verified: 1, unknown: 0 });
});

test('it begins behind a key, goes round, and ends once enough was read', async (t) => {
  const root = await cacheOf(t, four());
  const seen = (order: Partial<VerifyOrder>) => {
    const { told, summary } = verified(root, order);
    return [told.at(-1)?.last, summary.verified];
  };
  t.deepEqual(seen({ upTo: 1 }), [paths[0], 1]);
  t.deepEqual(seen({ upTo: body.length + 1, after: paths[0] ?? '' }), [paths[2], 2]);
  t.deepEqual(seen({ upTo: body.length + 1, after: paths[2] ?? '' }), [paths[0], 2]);
  t.deepEqual(seen({ upTo: 10 * body.length, after: paths[1] ?? '' }), [paths[1], 4]);
  t.deepEqual(seen({ upTo: 1, after: 'z' }), [paths[0], 1]);
});

test('no more is read in a second than it may, and no less where nothing else is slow', async (t) => {
  const root = await cacheOf(t, four());
  let time = 0;
  const sleep = (milliseconds: number) => {
    time += milliseconds;
  };
  verified(root, { rate: M }, { now: () => time, sleep });
  const expected = (4 * body.length * 1000) / M;
  t.true(Math.abs(time - expected) < 1, `${time} ms, not ${expected}`);
});

test('a verification that is called off ends in the middle of a file', async (t) => {
  const root = await cacheOf(t, four());
  let pieces = 0;
  const sleep = () => {
    pieces += 1;
  };
  const order = { rate: 4 * M };
  const { summary, told } = verified(root, order, { sleep, cancelled: () => pieces >= 2 });
  t.like(summary, { verified: 0, cancelled: true });
  t.is(pieces, 2);
  t.like(told.at(-1), { entries: 0, bytes: 2 * M, wrong: [], last: undefined });
});

test('what was removed or replaced while it was read is not wrong', async (t) => {
  const root = await cacheOf(t, four({ 'a.tar.xz': other, 'b.tar.xz': other }));
  const [a, b] = ['a.tar.xz', 'b.tar.xz'].map((name) => join(root, distfilePath(name)));
  let read = 0;
  const sleep = () => {
    read += 1;
    if (read > 1) return;
    unlinkSync(a ?? '');
    writeFileSync(`${b}.new`, body);
    renameSync(`${b}.new`, b ?? '');
  };
  const matching = /\/[ab]\.tar\.xz$/;
  const { summary, keys } = verified(root, { rate: 1, matching }, { sleep });
  t.deepEqual(keys, []);
  t.like(summary, { failed: 0, unknown: 0 });
});

test('what takes the place of an entry after the walk is neither followed nor waited for', async (t) => {
  const root = await cacheOf(t, four());
  const [first = '', second = '', third = ''] = paths.map((path) => join(root, path));
  let read = 0;
  const sleep = () => {
    read += 1;
    if (read > 1) return;
    for (const path of [second, third]) unlinkSync(path);
    symlinkSync(first, second);
    execFileSync('mkfifo', [third]);
  };
  const { summary, keys } = verified(root, { rate: 1 }, { sleep });
  t.deepEqual(keys, []);
  t.like(summary, { verified: 2, failed: 0 });
});

test('reading leaves the time of last use alone', async (t) => {
  const root = await cacheOf(t, four());
  const path = join(root, paths[0] ?? '');
  await setAge(path, 3);
  const before = statSync(path).atimeMs;
  verified(root);
  t.is(statSync(path).atimeMs, before);
});

test('a file that may not be read is a problem, and no wrong file', async (t) => {
  const root = await cacheOf(t, four());
  const path = join(root, paths[1] ?? '');
  await chmod(path, 0);
  await utimes(path, 0, 0);
  if (process.getuid?.() === 0) {
    // For root nothing is closed: another user looks.
    execFileSync('chown', ['-R', '65534', root]);
    process.seteuid?.(65534);
  }
  try {
    const { summary, keys } = verified(root);
    t.deepEqual(keys, []);
    t.like(summary, { verified: 3, failed: 1 });
    t.regex(summary.problems[0]?.reason ?? '', /EACCES/);
  } finally {
    if (process.getuid?.() === 0) process.seteuid?.(0);
  }
});
