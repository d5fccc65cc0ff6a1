import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { CacheError } from '../../daemon/errors.ts';
import { distfilePath } from '../../daemon/gentoo/distfile.ts';
import type { Commit } from '../../daemon/room/census.ts';
import {
  type ImportContext,
  type ImportedFile,
  type ImportOrder,
  type ImportProgress,
  importFiles,
} from '../../daemon/room/import.ts';
import { makeCache } from '../helpers/cache.ts';
import { filesBelow } from '../helpers/entries.ts';
import { tempDir, writeTree } from '../helpers/files.ts';
import { gate } from '../helpers/gate.ts';
import { bodyOf } from '../helpers/origin.ts';

const body = bodyOf('distfile', 300_001);

/** A cache, a DISTDIR, and Manifests that name some files, all with one body. */
async function scene(t: ExecutionContext, named: readonly string[]) {
  const cache = await makeCache(t);
  const directory = await tempDir(t);
  const hash = createHash('blake2b512').update(body).digest('hex');
  const digest = { size: body.length, algorithm: 'blake2b512', hash } as const;
  const commits: Commit[] = [];
  const reserved: number[] = [];
  let held = 0;
  const context: ImportContext = {
    layout: cache.layout,
    store: cache.store,
    census: { noteCommit: (commit) => commits.push(commit) },
    room: {
      reserve: async (bytes = 0) => {
        reserved.push(bytes);
        held += 1;
        return { release: () => (held -= 1) };
      },
      noteFailure: () => {},
      noteSuccess: () => {},
    },
    manifests: { digestsOf: (name) => (named.includes(name) ? [digest] : []) },
  };
  const files: ImportedFile[] = [];
  const told: ImportProgress[] = [];
  const stop = new AbortController();
  const take = async (order: Partial<ImportOrder> = {}, given: Partial<ImportContext> = {}) => {
    files.length = 0;
    const sum = await importFiles(
      { directory, link: false, unverified: false, ...order },
      {
        onFile: (file) => files.push(file),
        onProgress: (progress) => told.push(progress),
        signal: stop.signal,
      },
      { ...context, ...given },
    );
    return { sum, files: files.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
  };
  const put = (name: string, content: Buffer | string = body) => {
    writeFileSync(join(directory, name), content);
    utimesSync(join(directory, name), 1_700_000_000.5, 1_700_000_001.5);
  };
  const partials = async () =>
    (await readdir(cache.layout.partialFolder)).filter((name) => name !== '.keep');
  return {
    ...cache,
    directory,
    context,
    commits,
    reserved,
    held: () => held,
    take,
    put,
    stop,
    partials,
  };
}

test('each named file becomes an entry where mirrors have it, with its own time', async (t) => {
  const { take, put, root, commits, reserved, held, partials, directory } = await scene(t, [
    'a.tar.xz',
    'b%2Fc@v1.zip',
  ]);
  put('a.tar.xz');
  put('b%2Fc@v1.zip');
  const { sum, files } = await take();
  t.deepEqual(sum, { stored: 2, present: 0, failed: 0, bytes: 2 * body.length });
  t.deepEqual(
    files.map(({ name, outcome, size }) => [name, outcome, size]),
    [
      ['a.tar.xz', 'stored', body.length],
      ['b%2Fc@v1.zip', 'stored', body.length],
    ],
  );
  const keys = ['a.tar.xz', 'b%2Fc@v1.zip'].map(distfilePath).toSorted();
  t.deepEqual(await filesBelow(root), keys);
  for (const key of keys) {
    t.true((await readFile(join(root, key))).equals(body));
    t.is((await stat(join(root, key))).mtimeMs, 1_700_000_001_000);
  }
  t.deepEqual(commits.map(({ key }) => key).toSorted(), keys);
  t.deepEqual(reserved, [body.length, body.length]);
  t.is(held(), 0);
  t.deepEqual(await partials(), []);
  t.deepEqual((await readdir(directory)).toSorted(), ['a.tar.xz', 'b%2Fc@v1.zip']);
});

test('what is stored already is left alone', async (t) => {
  const { take, put, commits, bytesOf } = await scene(t, ['a.tar.xz']);
  put('a.tar.xz');
  await take();
  commits.length = 0;
  t.deepEqual((await take()).sum, { stored: 0, present: 1, failed: 0, bytes: 0 });
  t.deepEqual(commits, []);
  t.true((await bytesOf(distfilePath('a.tar.xz')))?.equals(body));
});

test('an entry of a wrong size is replaced, and the count is told of both', async (t) => {
  const { root, take, put, commits, bytesOf } = await scene(t, ['a.tar.xz']);
  const key = distfilePath('a.tar.xz');
  await writeTree(root, { [key]: 'wrong' });
  put('a.tar.xz');
  t.like((await take()).sum, { stored: 1 });
  t.true((await bytesOf(key))?.equals(body));
  t.like(commits, [{ key, size: body.length, replaced: { size: 5 } }]);
});

test('what is wrong or unnamed is told and not stored, and the others are', async (t) => {
  const { take, put, root } = await scene(t, ['a.tar.xz', 'short.tar.xz', 'wrong.tar.xz']);
  put('a.tar.xz');
  put('short.tar.xz', 'short');
  put('wrong.tar.xz', bodyOf('another', body.length));
  put('unnamed.tar.xz');
  const { sum, files } = await take();
  t.deepEqual(sum, { stored: 1, present: 0, failed: 3, bytes: body.length });
  const reasons = Object.fromEntries(files.map(({ name, reason = '' }) => [name, reason]));
  t.is(reasons['short.tar.xz'], 'expected 300001 bytes, found 5');
  t.regex(reasons['wrong.tar.xz'] ?? '', /^expected BLAKE2B .*, found /);
  t.is(reasons['unnamed.tar.xz'], 'no Manifest names it');
  t.deepEqual(await filesBelow(root), [distfilePath('a.tar.xz')]);
});

test('without verification what no Manifest names is taken too, but replaces nothing', async (t) => {
  const { take, put, root } = await scene(t, ['named.tar.xz']);
  put('named.tar.xz', 'wrong all the same');
  put('unnamed.tar.xz', 'version 1');
  const first = await take({ unverified: true });
  t.deepEqual(first.sum, { stored: 1, present: 0, failed: 1, bytes: 9 });
  t.deepEqual(await filesBelow(root), [distfilePath('unnamed.tar.xz')]);
  t.like((await take({ unverified: true })).sum, { stored: 0, present: 1 });
  put('unnamed.tar.xz', 'version 10');
  const { files } = await take({ unverified: true });
  t.is(
    files.find(({ name }) => name === 'unnamed.tar.xz')?.reason,
    'another file is stored under its name, of 9 bytes',
  );
});

test('only whole files of the directory itself are looked at', async (t) => {
  const { take, put, directory } = await scene(t, ['a.tar.xz', 'poetry.lock']);
  put('a.tar.xz');
  put('poetry.lock');
  for (const name of [
    '.hidden',
    'b.tar.xz.__download__',
    'b.tar.xz._checksum_failure_.x2a3',
    'b.tar.xz.partial',
    'b.tar.xz.part',
    'b.tar.xz.aria2',
    'b.tar.xz.lock',
    'b.tar.xz.portage_lockfile',
  ]) {
    put(name);
  }
  mkdirSync(join(directory, 'git3-src'));
  writeFileSync(join(directory, 'git3-src/b.tar.xz'), body);
  symlinkSync('a.tar.xz', join(directory, 'link.tar.xz'));
  const { files } = await take({ unverified: true });
  t.deepEqual(
    files.map(({ name, outcome }) => [name, outcome]),
    [
      ['a.tar.xz', 'stored'],
      ['poetry.lock', 'stored'],
    ],
  );
});

test('a name that no client can ask for is not stored', async (t) => {
  const { take, put } = await scene(t, ['a\\b.tar.xz']);
  put('a\\b.tar.xz');
  const { files } = await take();
  t.regex(files[0]?.reason ?? '', /"\\"/);
});

test('with a link the entry and the file are one, and both have whole seconds', async (t) => {
  const { take, put, root, directory } = await scene(t, ['a.tar.xz']);
  put('a.tar.xz');
  await take({ link: true });
  const [entry, file] = [join(root, distfilePath('a.tar.xz')), join(directory, 'a.tar.xz')];
  t.is((await lstat(entry)).ino, (await lstat(file)).ino);
  t.is((await stat(file)).mtimeMs, 1_700_000_001_000);
});

test('without room nothing is copied', async (t) => {
  const { take, put, root, context } = await scene(t, ['a.tar.xz']);
  put('a.tar.xz');
  const reserve = async () => {
    throw new CacheError('no-room', { verb: 'reserve', thing: '1M', reason: 'min-free: 1G stay' });
  };
  const { files } = await take({}, { room: { ...context.room, reserve } });
  t.is(files[0]?.reason, 'min-free: 1G stay');
  t.deepEqual(await filesBelow(root), []);
});

test('an import that is called off begins no further file, and leaves nothing half', async (t) => {
  const names = Array.from({ length: 20 }, (_, index) => `${index}.tar.xz`);
  const { take, put, root, context, stop, partials, held } = await scene(t, names);
  for (const name of names) put(name);
  const waits = gate();
  let asked = 0;
  const reserve: ImportContext['room']['reserve'] = async (...given) => {
    asked += 1;
    if (asked > 6) await waits.pass();
    return await context.room.reserve(...given);
  };
  const taking = take({}, { room: { ...context.room, reserve } });
  await waits.reached;
  stop.abort();
  waits.open();
  const { sum } = await taking;
  t.true(sum.stored + sum.failed <= 10, `${sum.stored} stored, ${sum.failed} failed`);
  t.is((await filesBelow(root)).length, sum.stored);
  for (const key of await filesBelow(root)) {
    t.true((await readFile(join(root, key))).equals(body));
  }
  t.deepEqual(await partials(), []);
  t.is(held(), 0);
});

test('a directory that is none, or is not there, is told as such', async (t) => {
  const { take, put, directory } = await scene(t, []);
  put('file');
  const reason = async (path: string) =>
    (await t.throwsAsync(take({ directory: path }), { instanceOf: CacheError }))?.message;
  t.is(await reason('/nowhere'), 'Cannot import "/nowhere": it does not exist');
  t.regex((await reason(join(directory, 'file'))) ?? '', /ENOTDIR/);
});

test('an empty directory is done with at once', async (t) => {
  const { take } = await scene(t, []);
  t.deepEqual((await take()).sum, { stored: 0, present: 0, failed: 0, bytes: 0 });
});
