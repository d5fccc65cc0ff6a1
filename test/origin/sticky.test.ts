import test from 'ava';
import { parseSourceUrl, type SourceUrl } from '../../daemon/config/source-url.ts';
import { createStickiness } from '../../daemon/origin/sticky.ts';

const sources = ['a', 'b', 'c'].map((host) => parseSourceUrl(`http://${host}.example/`));
const [a, b, c] = sources as [SourceUrl, SourceUrl, SourceUrl];

test('without a memory the order is the configured one', (t) => {
  t.deepEqual(createStickiness(() => true).order('dists/stable/InRelease', sources), sources);
});

test('the source that gave a file of a directory is asked first for the others', (t) => {
  const sticky = createStickiness(() => true);
  sticky.note('dists/stable/InRelease', b);
  t.deepEqual(sticky.order('dists/stable/InRelease', sources), [b, a, c]);
  t.deepEqual(sticky.order('dists/testing/InRelease', sources), sources);
});

test('the last source that gave one is the one that counts', (t) => {
  const sticky = createStickiness(() => true);
  sticky.note('dists/stable/InRelease', b);
  sticky.note('dists/stable/InRelease', c);
  t.deepEqual(sticky.order('dists/stable/InRelease', sources), [c, a, b]);
});

test('a source that is set aside is not preferred until it works again', (t) => {
  const usable = new Set(sources);
  const sticky = createStickiness((source) => usable.has(source));
  sticky.note('dists/stable/InRelease', b);
  usable.delete(b);
  t.deepEqual(sticky.order('dists/stable/InRelease', sources), sources);
  usable.add(b);
  t.deepEqual(sticky.order('dists/stable/InRelease', sources), [b, a, c]);
});

test('a source that is not configured any more is not asked', (t) => {
  const sticky = createStickiness(() => true);
  sticky.note('dists/stable/InRelease', b);
  t.deepEqual(sticky.order('dists/stable/InRelease', [a, c]), [a, c]);
});

test('a suite of a Debian repository is one group, and any other directory one by itself', (t) => {
  const sticky = createStickiness(() => true);
  const orderOf = (key: string) => sticky.order(key, sources)[0];
  sticky.note('debian/dists/stable/InRelease', b);
  t.is(orderOf('debian/dists/stable/main/binary-amd64/Packages.xz'), b);
  t.is(orderOf('debian/dists/testing/main/binary-amd64/Packages.xz'), a);
  t.is(orderOf('dists/stable/InRelease'), a);
  sticky.note('arch/core/os/x86_64/core.db', b);
  t.is(orderOf('arch/core/os/x86_64/core.db.sig'), b);
  t.is(orderOf('arch/core/os/aarch64/core.db.sig'), a);
  sticky.note('debian/dists/README', c);
  t.is(orderOf('debian/dists/stable/InRelease'), b);
});

test('ten thousand directories are remembered, and the one longest unused is forgotten', (t) => {
  const sticky = createStickiness(() => true);
  sticky.note('first/x', b);
  sticky.note('second/x', b);
  for (let at = 0; at < 9998; at += 1) sticky.note(`directory ${at}/x`, a);
  sticky.note('first/x', b);
  sticky.note('last/x', b);
  t.deepEqual(sticky.order('first/x', sources), [b, a, c]);
  t.deepEqual(sticky.order('second/x', sources), sources);
});
