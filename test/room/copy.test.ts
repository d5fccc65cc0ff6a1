import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { CacheError } from '../../daemon/errors.ts';
import type { Digest } from '../../daemon/gentoo/digest-table.ts';
import { type CopyJob, copy } from '../../daemon/room/copy.ts';
import { tempDir } from '../helpers/files.ts';
import { mountBtrfs, mountTmpfs } from '../helpers/mounts.ts';
import { bodyOf } from '../helpers/origin.ts';

const body = bodyOf('distfile', 2_500_000);

function digestOf(bytes: Buffer): Digest {
  const hash = createHash('blake2b512').update(bytes).digest('hex');
  return { size: bytes.length, algorithm: 'blake2b512', hash };
}

/** A DISTDIR with one file in it, and a place for it. */
async function scene(t: ExecutionContext, root?: string) {
  const folder = root ?? (await tempDir(t));
  const [distdir, to] = [join(folder, 'distdir'), join(folder, 'partial')];
  mkdirSync(distdir);
  const from = join(distdir, 'package.tar.xz');
  writeFileSync(from, body);
  chmodSync(from, 0o664);
  utimesSync(from, 1_700_000_000.9, 1_700_000_001.9);
  const take = (job: Partial<CopyJob> = {}) =>
    copy({
      from,
      to,
      digests: [digestOf(body)],
      link: false,
      cancelled: () => false,
      took: () => {},
      ...job,
    });
  const refused = (job: Partial<CopyJob> = {}) => {
    const { reason } = t.throws(() => take(job), { instanceOf: CacheError }) as CacheError;
    t.false(existsSync(to));
    return reason;
  };
  return { from, to, take, refused, folder };
}

test('a file is copied as it is, readable for everybody, and its times and mode stay', async (t) => {
  const { from, to, take } = await scene(t);
  const before = statSync(from);
  let moved = 0;
  const took = (bytes: number) => {
    moved += bytes;
  };
  t.deepEqual(take({ took }), { mtime: 1_700_000_001 });
  t.true(readFileSync(to).equals(body));
  t.is(moved, body.length);
  t.is(statSync(to).mode & 0o777, 0o644);
  t.not(statSync(to).ino, before.ino);
  t.like(statSync(from), { atimeMs: before.atimeMs, mtimeMs: before.mtimeMs, mode: before.mode });
});

test('what is not what a Manifest says is not taken, whether by its size or by its bytes', async (t) => {
  const { refused, from } = await scene(t);
  const short = digestOf(body.subarray(1));
  t.is(refused({ digests: [short] }), 'expected 2499999 bytes, found 2500000');
  const other = { ...digestOf(body), hash: '0'.repeat(128) };
  const reason = /^expected BLAKE2B 0{16}…, found [0-9a-f]{16}…$/;
  t.regex(refused({ digests: [other] }), reason);
  t.regex(refused({ digests: [other], link: true }), reason);
  t.true(existsSync(from));
});

test('one of several digests will do', async (t) => {
  const { take } = await scene(t);
  t.notThrows(() => take({ digests: [digestOf(Buffer.from('another')), digestOf(body)] }));
});

test('a file that somebody still writes to is not taken without a digest', async (t) => {
  const { from, refused } = await scene(t);
  const took = () => appendFileSync(from, 'x');
  t.is(refused({ digests: [], took }), 'it changed while it was read');
});

test('without a digest a file is taken as it is', async (t) => {
  const { to, take } = await scene(t);
  take({ digests: [] });
  t.true(readFileSync(to).equals(body));
});

test('what is not for everybody is taken only when a Manifest names it', async (t) => {
  const { from, take, refused } = await scene(t);
  chmodSync(from, 0o640);
  t.is(refused({ digests: [] }), 'not everybody may read it');
  t.notThrows(() => take());
});

test('a symlink is not followed, and a FIFO not waited for', async (t) => {
  const { from, take, refused, folder } = await scene(t);
  const link = join(folder, 'link');
  symlinkSync(from, link);
  t.throws(() => take({ from: link }), { code: 'ELOOP' });
  t.is(refused({ from: '/dev/null' }), 'it is not a regular file any more');
});

test('a copy that is called off leaves nothing', async (t) => {
  const { refused } = await scene(t);
  let pieces = 0;
  const took = () => {
    pieces += 1;
  };
  t.is(refused({ took, cancelled: () => pieces === 2 }), 'it was called off');
  t.is(pieces, 2);
});

test('a full disk leaves nothing', async (t) => {
  const mount = await mountTmpfs(t, { options: 'size=1m' });
  if (mount === undefined) return;
  const { take } = await scene(t);
  t.throws(() => take({ to: join(mount, 'partial') }), { code: 'ENOSPC' });
  t.deepEqual(readdirSync(mount), []);
});

test('with a link both are one file, which is verified as well', async (t) => {
  const { from, to, take } = await scene(t);
  t.deepEqual(take({ link: true }), { mtime: 1_700_000_001 });
  t.is(lstatSync(to).ino, lstatSync(from).ino);
});

test('a link to another file system says that a copy can be had', async (t) => {
  const mount = await mountTmpfs(t, { options: 'size=8m' });
  if (mount === undefined) return;
  const { refused } = await scene(t);
  const reason = 'it is on another file system than the cache; without --link it is copied';
  t.is(refused({ to: join(mount, 'partial'), link: true }), reason);
});

test('where the file system can, a copy shares its bytes, and is verified as well', async (t) => {
  const mount = await mountBtrfs(t);
  if (mount === undefined) return;
  const used = () => {
    execFileSync('sync', ['-f', mount]);
    const { blocks, bfree, bsize } = statfsSync(mount);
    return (blocks - bfree) * bsize;
  };
  const { to, take, refused } = await scene(t, mount);
  t.regex(refused({ digests: [{ ...digestOf(body), hash: '0'.repeat(128) }] }), /BLAKE2B/);
  const before = used();
  take();
  t.true(readFileSync(to).equals(body));
  t.is(statSync(to).mode & 0o777, 0o644);
  t.true(used() - before < body.length / 2, `${used() - before} bytes more`);
});
