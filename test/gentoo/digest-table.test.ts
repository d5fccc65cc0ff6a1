import { createHash } from 'node:crypto';
import test from 'ava';
import {
  countDigests,
  type Digest,
  findDigests,
  findPackages,
  rowKeyOf,
} from '../../daemon/gentoo/digest-table.ts';
import { createGatherer } from '../../daemon/gentoo/gather.ts';

/** A digest for each number. */
function digestOf(number: number): Digest {
  const algorithm = number % 3 === 0 ? 'sha512' : 'blake2b512';
  const hash = createHash(algorithm).update(String(number)).digest('hex');
  return { size: number * 1e9, algorithm, hash };
}

test('every name of thousands is found with its digest and its package, and no other', (t) => {
  const gatherer = createGatherer();
  const count = 20_000;
  for (let number = 0; number < count; number += 1) {
    gatherer.add({ name: `name-${number}`, digest: digestOf(number), package: number % 7 });
  }
  const rows = gatherer.rows();
  t.is(rows.names.length, count);
  t.deepEqual(
    [...rows.names],
    [...rows.names].toSorted((a, b) => (a < b ? -1 : 1)),
  );
  for (let number = 0; number < count; number += 97) {
    t.deepEqual(findDigests(rows, `name-${number}`), [digestOf(number)]);
    t.deepEqual(findPackages(rows, `name-${number}`), [number % 7]);
  }
  t.deepEqual(findDigests(rows, 'name'), []);
  t.deepEqual(countDigests(rows), { files: count, digests: count });
});

test('a name has each of its digests once, and all packages that have it', (t) => {
  const gatherer = createGatherer();
  for (const [index, number] of [1, 2, 1, 1].entries()) {
    gatherer.add({ name: 'several', digest: digestOf(number), package: index });
  }
  gatherer.add({ name: 'one', digest: digestOf(3), package: 9 });
  const rows = gatherer.rows();
  t.deepEqual(findDigests(rows, 'several'), [digestOf(1), digestOf(2)]);
  t.deepEqual(findPackages(rows, 'several'), [0, 1, 2, 3]);
  t.deepEqual(findDigests(rows, 'one'), [digestOf(3)]);
  t.deepEqual(countDigests(rows), { files: 2, digests: 3 });
});

test('an empty table has nothing', (t) => {
  const rows = createGatherer().rows();
  t.deepEqual(findDigests(rows, 'a'), []);
  t.deepEqual(countDigests(rows), { files: 0, digests: 0 });
});

test('a thread sees the same memory', (t) => {
  const gatherer = createGatherer();
  gatherer.add({ name: 'a', digest: digestOf(1), package: 0 });
  const rows = gatherer.rows();
  const copy = structuredClone(rows);
  rows.packages[0] = 5;
  t.deepEqual(findPackages(copy, 'a'), [5]);
});

test('a name is looked up by the beginning of its BLAKE2B', (t) => {
  const hash = createHash('blake2b512').update('which-2.23.tar.gz').digest('hex');
  t.is(rowKeyOf('which-2.23.tar.gz'), BigInt(`0x${hash.slice(0, 16)}`));
});
