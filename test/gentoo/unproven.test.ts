import test from 'ava';
import type { Digest } from '../../daemon/gentoo/digest-table.ts';
import { createUnproven } from '../../daemon/gentoo/unproven.ts';

const digest: Digest = { size: 1, algorithm: 'sha512', hash: '' };

function scene() {
  const known = new Set<string>();
  const rechecked: (readonly string[])[] = [];
  const unproven = createUnproven((name) => (known.has(name) ? [digest] : []));
  const attend = () => unproven.attend((names) => rechecked.push(names));
  return { known, rechecked, unproven, attend };
}

test('a file is due once the Manifests have a word on it, and only once', (t) => {
  const { known, rechecked, unproven, attend } = scene();
  attend();
  unproven.note('a');
  unproven.note('b');
  unproven.read();
  t.deepEqual(rechecked, []);
  known.add('a');
  unproven.read();
  unproven.read();
  t.deepEqual(rechecked, [['a']]);
  known.add('b');
  unproven.read();
  t.deepEqual(rechecked, [['a'], ['b']]);
});

test('what was due before somebody attended is handed over then', (t) => {
  const { rechecked, unproven, attend } = scene();
  unproven.lost(['a', 'b']);
  unproven.lost(['b']);
  unproven.read();
  attend();
  t.deepEqual(rechecked, [['a', 'b']]);
});

test('of very many names the oldest are forgotten', (t) => {
  const { known, rechecked, unproven, attend } = scene();
  attend();
  for (let index = 0; index <= 10_000; index += 1) {
    unproven.note(`${index}`);
    known.add(`${index}`);
  }
  unproven.read();
  t.is(rechecked[0]?.length, 10_000);
  t.false(rechecked[0]?.includes('0'));
});
