import assert from 'node:assert/strict';
import test from 'ava';
import { type ByteRange, parseRange, resolveRanges } from '../../daemon/http/range.ts';
import { holds } from './fuzz.ts';
import { mutated, words } from './mutate.ts';
import type { Random } from './random.ts';

const corpus = [
  'bytes=0-499',
  'bytes=500-',
  'bytes=-500',
  'bytes=0-0,-1',
  'bytes=0-999, 4500-5499, -1000',
  'bytes= 0-999, 4500-5499, -1000',
  'bytes=9500-',
  'bytes=0-0,2-2,4-4,6-6',
  'Bytes=7-3',
  'bytes=18446744073709551616-18446744073709551617',
  'bytes=9007199254740991-',
];

const pieces = [
  ...words(
    'bytes = bytes= - , ,, 0 1 5 9 12 60 63 64 007 4294967296 9007199254740993 -- +1 1.5 1e3',
  ),
  ...words('99999999999999999999 0x1 -0 " ( ) * / ; none \u0661'),
  ...[' ', '\t', ', ', '\\', '\u00a0', '\r', '\n', '\0'],
];

/** A Range field and the length of what it is asked of. */
interface Asked {
  readonly field: string;
  readonly length: number;
}

function makeAsked(random: Random): Asked {
  const length = random.oneIn(10) ? random.below(3) : random.below(120);
  if (random.oneIn(3)) return { field: mutated(random, { corpus, pieces }), length };
  if (random.oneIn(4)) return { field: `bytes=${random.string(pieces, 12)}`, length };
  const separator = random.pick([',', ', ', ' ,', ',\t', ',,', ' , ,']);
  const members = random.several(1, random.oneIn(200) ? 220 : 6, () => makeMember(random));
  return { field: `bytes=${members.join(separator)}`, length };
}

function makeMember(random: Random): string {
  if (random.oneIn(60)) return random.string(pieces, 4);
  const first = random.below(130);
  const last = first + random.below(random.oneIn(4) ? 130 : 12);
  return random.oneIn(8) ? random.pick([`${first}-`, `-${random.below(20)}`]) : `${first}-${last}`;
}

/** One member as RFC 9110 section 14.1.1 writes it; positions may be beyond any number. */
interface ModelSpec {
  readonly first?: bigint;
  readonly last?: bigint;
  readonly suffix?: bigint;
}

/** Undefined where the field is to be ignored. */
function modelOf(field: string): readonly ModelSpec[] | undefined {
  const equals = field.indexOf('=');
  if (field.slice(0, Math.max(0, equals)).toLowerCase() !== 'bytes') return undefined;
  const members = field
    .slice(equals + 1)
    .split(',')
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '');
  const specs = members.map(modelSpec);
  if (specs.length === 0 || specs.length > 200) return undefined;
  return specs.every((spec) => spec !== undefined) ? specs : undefined;
}

function modelSpec(member: string): ModelSpec | undefined {
  const [before = '', after = '', ...more] = member.split('-');
  const isNumber = (text: string) =>
    text !== '' && [...text].every((digit) => '0123456789'.includes(digit));
  if (more.length > 0 || !member.includes('-')) return undefined;
  if (before === '') return isNumber(after) ? { suffix: BigInt(after) } : undefined;
  if (!isNumber(before) || (after !== '' && !isNumber(after))) return undefined;
  if (after === '') return { first: BigInt(before) };
  return BigInt(after) < BigInt(before)
    ? undefined
    : { first: BigInt(before), last: BigInt(after) };
}

/** Which member asks for each byte first: byte by byte. */
function wantedBy(specs: readonly ModelSpec[], length: number): readonly (number | undefined)[] {
  const size = BigInt(length);
  return Array.from({ length }, (_, at) => {
    const byte = BigInt(at);
    const found = specs.findIndex(({ first, last, suffix }) =>
      first === undefined
        ? byte >= size - (suffix ?? 0n)
        : byte >= first && (last === undefined || byte <= last),
    );
    return found < 0 ? undefined : found;
  });
}

/** Runs of bytes that are asked for, in the order in which the request names them. */
function modelRanges(specs: readonly ModelSpec[], length: number): readonly ByteRange[] {
  const wanted = wantedBy(specs, length);
  const runs: { start: number; end: number; place: number }[] = [];
  wanted.forEach((place, at) => {
    const run = runs.at(-1);
    if (place === undefined) return;
    if (run?.end === at) {
      run.end += 1;
      run.place = Math.min(run.place, place);
    } else runs.push({ start: at, end: at + 1, place });
  });
  return runs.sort((a, b) => a.place - b.place).map(({ start, end }) => ({ start, end }));
}

test('a Range field names the bytes that a byte-by-byte reading finds, merged and in order', (t) => {
  holds(t, {
    make: makeAsked,
    check: ({ field, length }) => {
      const specs = parseRange(field);
      const expected = modelOf(field);
      assert.equal(specs?.length, expected?.length);
      if (specs === undefined || expected === undefined) return 'ignored';
      const ranges = resolveRanges(specs, length);
      assert.deepEqual(ranges, modelRanges(expected, length));
      if (ranges.length === 0) return 'unsatisfiable';
      return ranges.length === 1 ? 'one range' : 'several ranges';
    },
    kinds: { ignored: 0.1, unsatisfiable: 0.05, 'one range': 0.1, 'several ranges': 0.1 },
  });
});

const greatest = Number.MAX_SAFE_INTEGER;

test('the ranges of a file of any length lie within it and apart, first and last byte exact', (t) => {
  holds(t, {
    make: (random) => ({
      field: `bytes=${random.several(1, 8, () => makeLong(random)).join(',')}`,
      length: random.pick([1, 4096, 2 ** 31, 2 ** 32 + 1, 2 ** 53 - 1, random.below(2 ** 31)]),
    }),
    check: ({ field, length }) => {
      const specs = parseRange(field);
      if (specs === undefined) return 'ignored';
      const ranges = resolveRanges(specs, length);
      const sorted = ranges.toSorted((a, b) => a.start - b.start);
      let end = -1;
      for (const range of sorted) {
        // Two that touch are one.
        assert.ok(range.start > end && range.end > range.start && range.end <= length);
        assert.ok(Number.isSafeInteger(range.start) && Number.isSafeInteger(range.end));
        end = range.end;
      }
      assertEnds(field, { ranges, length });
      return ranges.length === 0 ? 'unsatisfiable' : 'satisfiable';
    },
    kinds: { ignored: 0.01, unsatisfiable: 0.01, satisfiable: 0.3 },
  });
});

function makeLong(random: Random): string {
  const number = () =>
    String(
      random.pick([
        BigInt(random.below(5000)),
        BigInt(2 ** 31 + random.between(-2, 2)),
        BigInt(2 ** 32 + random.between(-2, 2)),
        BigInt(greatest) + BigInt(random.between(-2, 2)),
        2n ** 64n + BigInt(random.below(3)),
      ]),
    );
  const [low, high] = [number(), number()].toSorted((a, b) => a.length - b.length);
  return random.pick([`${number()}-`, `-${number()}`, `${low}-${high}`]);
}

/** Whatever a member asks for is in one of the ranges, worked out without a number that is too great. */
function assertEnds(
  field: string,
  { ranges, length }: { ranges: readonly ByteRange[]; length: number },
) {
  const holdsByte = (byte: bigint) =>
    ranges.some(({ start, end }) => byte >= BigInt(start) && byte < BigInt(end));
  const size = BigInt(length);
  for (const { first, last, suffix } of modelOf(field) ?? []) {
    const from = first ?? (suffix === undefined || suffix > size ? 0n : size - suffix);
    const to = last === undefined || last >= size ? size - 1n : last;
    if (suffix === 0n || from > to) continue;
    assert.ok(holdsByte(from) && holdsByte(to), `${from} or ${to} is missing`);
  }
}
