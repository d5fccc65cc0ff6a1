import { hash } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createSnapshot, openSnapshot } from '../../daemon/gentoo/snapshot.ts';
import { tempDir } from '../helpers/files.ts';
import { distLine } from '../helpers/repository.ts';

const record = { stamp: '1735689600000.25:3:4', malformed: 0 };
/** More than is written or read at once, and more than ASCII. */
const long = Array.from({ length: 500 }, (_, index) => `${distLine(`é-${index}`)}\n`).join('');

async function keep(t: ExecutionContext) {
  const path = join(await tempDir(t), 'manifests');
  const writer = createSnapshot(path);
  writer.repository('/var/db/repos/gentoo');
  writer.manifest({ ...record, package: 'a/a', digests: 500 }, long);
  writer.manifest({ ...record, package: 'a/none', digests: 0, malformed: 7 }, '');
  writer.repository('/with a blank');
  writer.manifest({ ...record, package: 'a/a', digests: 1 }, `${distLine('x')}\n`);
  return { path, kept: writer.commit() };
}

test('what was kept is read again', async (t) => {
  const { path, kept } = await keep(t);
  const snapshot = openSnapshot(path);
  t.teardown(() => snapshot?.close());
  t.deepEqual(kept, { checksum: snapshot?.checksum });
  t.deepEqual(
    [...(snapshot?.repositories.keys() ?? [])],
    ['/var/db/repos/gentoo', '/with a blank'],
  );
  const [gentoo, blank] = [...(snapshot?.repositories.values() ?? [])];
  t.deepEqual([...(gentoo?.keys() ?? [])], ['a/a', 'a/none']);
  t.like(gentoo?.get('a/a'), { ...record, package: 'a/a', digests: 500 });
  t.like(gentoo?.get('a/none'), { digests: 0, malformed: 7 });
  t.is(gentoo?.get('a/a')?.text(), long);
  t.is(gentoo?.get('a/none')?.text(), '');
  t.is(blank?.get('a/a')?.text(), `${distLine('x')}\n`);
  t.deepEqual(await readdir(join(path, '..')), ['manifests']);
});

for (const [title, spoil] of Object.entries<(path: string) => Promise<unknown>>({
  'cut short': (path) => truncate(path, 1000),
  'cut by one byte': async (path) => truncate(path, (await readFile(path)).length - 1),
  'too long': (path) => appendFile(path, 'x'),
  empty: (path) => writeFile(path, ''),
  'spoilt in one bit': async (path) => {
    const bytes = await readFile(path);
    bytes[700] = (bytes[700] ?? 0) ^ 1;
    await writeFile(path, bytes);
  },
  'spoilt in its checksum': async (path) => {
    const text = await readFile(path, 'utf8');
    await writeFile(
      path,
      text.replace(/(?<=\nend .*)[0-9a-f](?=\n$)/, (digit) => (digit === '0' ? '1' : '0')),
    );
  },
  'of another version': async (path) => {
    const text = (await readFile(path, 'utf8')).replace('manifests 1\n', 'manifests 2\n');
    const [, body = '', end = ''] = /^(.*\n)(end \d+ )/s.exec(text) ?? [];
    await writeFile(path, `${body}${end}${hash('blake2b512', body)}\n`);
  },
})) {
  test(`a snapshot that is ${title} is none`, async (t) => {
    const { path } = await keep(t);
    const before = await readFile(path);
    openSnapshot(path)?.close();
    await spoil(path);
    t.false((await readFile(path)).equals(before));
    t.is(openSnapshot(path), undefined);
  });
}

test('one that cannot be written is told, and the former one stays', async (t) => {
  const { path } = await keep(t);
  const before = await readFile(path);
  await mkdir(`${path}.new`);
  const writer = createSnapshot(path);
  writer.repository('/other');
  writer.manifest({ ...record, package: 'a/a', digests: 500 }, long);
  const kept = writer.commit();
  t.true('failure' in kept);
  t.regex('failure' in kept ? kept.failure : '', /^Cannot write ".*\/manifests": EISDIR/);
  t.true((await readFile(path)).equals(before));
  t.is(openSnapshot(join(path, 'missing')), undefined);
});
