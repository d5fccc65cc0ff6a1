import test from 'ava';
import { parseSourceUrl, type SourceUrl } from '../../daemon/config/source-url.ts';
import { createStickiness } from '../../daemon/origin/sticky.ts';

const sources = ['a', 'b', 'c'].map((host) => parseSourceUrl(`http://${host}.example/`));
const [a, b, c] = sources as [SourceUrl, SourceUrl, SourceUrl];

test('without a memory the order is the configured one', (t) => {
  t.deepEqual(createStickiness(() => true).order('dists/stable', sources), sources);
});

test('the source that gave a file of a directory is asked first for the others', (t) => {
  const sticky = createStickiness(() => true);
  sticky.note('dists/stable', b);
  t.deepEqual(sticky.order('dists/stable', sources), [b, a, c]);
  t.deepEqual(sticky.order('dists/testing', sources), sources);
});

test('the last source that gave one is the one that counts', (t) => {
  const sticky = createStickiness(() => true);
  sticky.note('dists/stable', b);
  sticky.note('dists/stable', c);
  t.deepEqual(sticky.order('dists/stable', sources), [c, a, b]);
});

test('a source that is set aside is not preferred until it works again', (t) => {
  const usable = new Set(sources);
  const sticky = createStickiness((source) => usable.has(source));
  sticky.note('dists/stable', b);
  usable.delete(b);
  t.deepEqual(sticky.order('dists/stable', sources), sources);
  usable.add(b);
  t.deepEqual(sticky.order('dists/stable', sources), [b, a, c]);
});

test('a source that is not configured any more is not asked', (t) => {
  const sticky = createStickiness(() => true);
  sticky.note('dists/stable', b);
  t.deepEqual(sticky.order('dists/stable', [a, c]), [a, c]);
});

test('ten thousand directories are remembered, and the one longest unused is forgotten', (t) => {
  const sticky = createStickiness(() => true);
  sticky.note('first', b);
  sticky.note('second', b);
  for (let at = 0; at < 9998; at += 1) sticky.note(`directory ${at}`, a);
  sticky.note('first', b);
  sticky.note('last', b);
  t.deepEqual(sticky.order('first', sources), [b, a, c]);
  t.deepEqual(sticky.order('second', sources), sources);
});
