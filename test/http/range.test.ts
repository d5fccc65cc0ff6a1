import test from 'ava';
import fc from 'fast-check';
import {
  type ByteRange,
  contentRange,
  parseRange,
  type RangeSpec,
  resolveRanges,
  unsatisfiedRange,
} from '../../daemon/http/range.ts';

const beyond = '99999999999999999999';
const largest = Number.MAX_SAFE_INTEGER;

const valid: readonly (readonly [string, string, readonly RangeSpec[]])[] = [
  ['the first 500 bytes', 'bytes=0-499', [{ first: 0, last: 499 }]],
  ['the second 500 bytes', 'bytes=500-999', [{ first: 500, last: 999 }]],
  ['the final 500 bytes', 'bytes=-500', [{ suffix: 500 }]],
  ['from byte 9500 on', 'bytes=9500-', [{ first: 9500 }]],
  ['the first and the last byte', 'bytes=0-0,-1', [{ first: 0, last: 0 }, { suffix: 1 }]],
  [
    'the first, middle and last 1000 bytes, spaced as in the RFC (erratum 7306)',
    'bytes= 0-999, 4500-5499, -1000',
    [{ first: 0, last: 999 }, { first: 4500, last: 5499 }, { suffix: 1000 }],
  ],
  ['a suffix of nothing', 'bytes=-0', [{ suffix: 0 }]],
  ['a unit in any case', 'BYtes=1-2', [{ first: 1, last: 2 }]],
  ['tabs and spaces around commas', 'bytes=1-2\t , \t3-', [{ first: 1, last: 2 }, { first: 3 }]],
  ['empty members', 'bytes=,,1-2,,3-,', [{ first: 1, last: 2 }, { first: 3 }]],
  ['leading zeros', 'bytes=001-002', [{ first: 1, last: 2 }]],
  ['a last-pos equal to the first-pos', 'bytes=7-7', [{ first: 7, last: 7 }]],
  ['a first-pos beyond 2^53', `bytes=${beyond}-`, [{ first: largest }]],
  ['a last-pos beyond 2^53', `bytes=5-${beyond}`, [{ first: 5, last: largest }]],
  ['a suffix beyond 2^53', `bytes=-${beyond}`, [{ suffix: largest }]],
  ['a numeral of 5000 digits', `bytes=5-${'9'.repeat(5000)}`, [{ first: 5, last: largest }]],
];

for (const [what, field, specs] of valid) {
  test(`${what} can be asked for (RFC 9110 14.1.2)`, (t) => {
    t.deepEqual(parseRange(field), specs);
  });
}

const ignored: readonly (readonly [string, string])[] = [
  ['an empty field', ''],
  ['a unit alone', 'bytes'],
  ['no range', 'bytes='],
  ['no range but commas', 'bytes= , ,'],
  ['no unit', '0-499'],
  ['an empty unit', '=0-499'],
  ['another unit', 'items=0-499'],
  ['a longer unit', 'kilobytes=0-499'],
  ['a space before the equals sign', 'bytes =0-499'],
  ['a space before the unit', ' bytes=0-499'],
  ['a colon for the equals sign', 'bytes:0-499'],
  ['the form of Content-Range', 'bytes 0-499/1000'],
  ['a last-pos below the first-pos', 'bytes=5-4'],
  ['a backward range among good ones', 'bytes=0-1,5-4,7-'],
  ['a backward range beyond 2^53', `bytes=${beyond}-${beyond.replace(/9$/, '8')}`],
  ['no hyphen', 'bytes=10'],
  ['a hyphen alone', 'bytes=-'],
  ['two hyphens', 'bytes=0--5'],
  ['a negative first-pos', 'bytes=-5-10'],
  ['a plus sign', 'bytes=+5-10'],
  ['letters for a first-pos', 'bytes=alpha-'],
  ['letters for a last-pos', 'bytes=10-alpha'],
  ['a hexadecimal position', 'bytes=0x10-0x20'],
  ['an exponent', 'bytes=1e3-'],
  ['a fraction', 'bytes=0.5-1'],
  ['spaces around the hyphen', 'bytes=0 - 499'],
  ['ranges without a comma', 'bytes=10-11 12-'],
  ['a semicolon for a comma', 'bytes=0-1;3-4'],
  ['garbage among good ranges', 'bytes=0-1,x,3-4'],
  ['two fields joined into one', 'bytes=0-1, bytes=3-4'],
  ['a quoted range', 'bytes="0-499"'],
  ['digits that are not ASCII', 'bytes=٠-٩'],
  ['a line break', 'bytes=0-1\n'],
];

for (const [what, field] of ignored) {
  test(`${what} makes the Range ignored (RFC 9110 14.2)`, (t) => {
    t.is(parseRange(field), undefined);
  });
}

test('200 ranges are served and 201 are ignored, empty members aside (RFC 9110 17.15)', (t) => {
  const ranges = (count: number): string =>
    `bytes=${Array.from({ length: count }, (_, index) => `${index * 2}-${index * 2}`).join(',,')}`;
  t.is(parseRange(ranges(200))?.length, 200);
  t.is(parseRange(ranges(201)), undefined);
});

// Fixed inputs in the manner of Go's ServeContent tables and of nginx's range tests.
const ranges: readonly (readonly [string, number, string])[] = [
  ['0-4', 11, '0-4'],
  ['2-', 11, '2-10'],
  ['-5', 11, '6-10'],
  ['3-7', 11, '3-7'],
  ['0-0,-2', 11, '0-0 9-10'],
  ['0-1,5-8', 11, '0-1 5-8'],
  ['0-1,5-', 11, '0-1 5-10'],
  ['5-1000', 11, '5-10'],
  ['0-10', 11, '0-10'],
  ['0-11', 11, '0-10'],
  ['10-11', 11, '10-10'],
  ['10-', 11, '10-10'],
  ['-11', 11, '0-10'],
  ['-1000', 11, '0-10'],
  [`0-${beyond}`, 11, '0-10'],
  [`-${beyond}`, 11, '0-10'],
  [`${largest - 1}-${beyond}`, largest, `${largest - 1}-${largest - 1}`],
];

for (const [asked, length, sent] of ranges) {
  test(`${asked} of ${length} bytes is ${sent} (RFC 9110 14.1.2)`, (t) => {
    t.is(resolved(asked, length), sent);
  });
}

const unsatisfiable: readonly (readonly [string, number])[] = [
  ['11-', 11],
  ['11-12', 11],
  ['12-12', 11],
  ['100-1000', 11],
  ['-0', 11],
  ['11-,-0,20-30', 11],
  [`${beyond}-`, 11],
  ['0-', 0],
  ['0-0', 0],
  ['-1', 0],
];

for (const [asked, length] of unsatisfiable) {
  test(`${asked} of ${length} bytes is not satisfiable (RFC 9110 15.5.17)`, (t) => {
    t.is(resolved(asked, length), '');
  });
}

const merged: readonly (readonly [string, string, string])[] = [
  ['ranges that overlap are one', '500-700,601-999', '500-999'],
  ['ranges that touch are one', '500-600,601-999', '500-999'],
  ['ranges a byte apart are two', '500-600,602-999', '500-600 602-999'],
  ['a range inside another disappears', '0-99,10-19', '0-99'],
  ['a range around others swallows them', '10-19,30-39,0-99', '0-99'],
  ['a range may join two others', '0-9,20-29,10-19', '0-29'],
  ['equal ranges are one', '5-6,5-6,5-6', '5-6'],
  ['a suffix may touch a range', '0-499,-500', '0-999'],
  ['parts keep the order of the request', '900-999,0-9,500-509', '900-999 0-9 500-509'],
  ['a merged part stands where its first range stood', '500-509,0-9,510-519', '500-519 0-9'],
  ['its first range in the request, not by offset', '510-519,0-9,500-509', '500-519 0-9'],
  ['one that cannot be satisfied takes no place', '5000-,-10,-0,0-9', '990-999 0-9'],
  ['nested ranges of one start are one', '0-9,0-99,0-4', '0-99'],
  ['the whole, asked for wastefully, is sent once', '0-,1-,2-,3-,4-', '0-999'],
];

for (const [promise, asked, sent] of merged) {
  test(`${promise} (RFC 9110 15.3.7.2)`, (t) => {
    t.is(resolved(asked, 1000), sent);
  });
}

const smallSpecs = fc.array(
  fc.oneof(
    fc.record({ first: fc.nat(30) }),
    fc.record({ suffix: fc.nat(30) }),
    fc.tuple(fc.nat(30), fc.nat(12)).map(([first, more]) => ({ first, last: first + more })),
  ),
  { minLength: 1, maxLength: 8 },
);

test('the bytes sent are those asked for, each once and in whole runs (RFC 9110 14.1.2)', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(smallSpecs, fc.nat(25), (specs, length) => {
        t.deepEqual(resolveRanges(specs, length), runsByByte(specs, length));
      }),
      { numRuns: 2000 },
    ),
  );
});

test('a field that is written from ranges is read as those ranges (RFC 9110 14.2)', (t) => {
  const comma = fc.constantFrom(',', ', ', '\t,', ',,', ' , ,');
  t.notThrows(() =>
    fc.assert(
      fc.property(smallSpecs, comma, fc.mixedCase(fc.constant('bytes')), (specs, between, unit) => {
        t.deepEqual(parseRange(`${unit}=${specs.map(written).join(between)}`), specs);
      }),
    ),
  );
});

test('a Content-Range tells the first byte, the last and the length (RFC 9110 14.4)', (t) => {
  t.is(contentRange({ start: 0, end: 10 }, 100), 'bytes 0-9/100');
  t.is(contentRange({ start: 42, end: 43 }, 43), 'bytes 42-42/43');
});

test('a Content-Range of an unknown length has an asterisk (RFC 9110 14.4)', (t) => {
  t.is(contentRange({ start: 0, end: 10 }, undefined), 'bytes 0-9/*');
});

test('the Content-Range of a 416 tells the length alone (RFC 9110 14.4, 15.5.17)', (t) => {
  t.is(unsatisfiedRange(100), 'bytes */100');
  t.is(unsatisfiedRange(0), 'bytes */0');
});

function resolved(asked: string, length: number): string {
  const specs = parseRange(`bytes=${asked}`) ?? [];
  return resolveRanges(specs, length)
    .map(({ start, end }) => `${start}-${end - 1}`)
    .join(' ');
}

function written(spec: RangeSpec): string {
  return 'suffix' in spec ? `-${spec.suffix}` : `${spec.first}-${spec.last ?? ''}`;
}

// For each byte, the place of the first range that asks for it; a run of such bytes is a part.
function runsByByte(specs: readonly RangeSpec[], length: number): ByteRange[] {
  const runs: { start: number; end: number; place: number }[] = [];
  for (let byte = 0; byte < length; byte += 1) {
    const place = specs.findIndex((spec) => asksFor(spec, byte, length));
    if (place === -1) continue;
    const run = runs.find(({ end }) => end === byte);
    if (run === undefined) runs.push({ start: byte, end: byte + 1, place });
    else Object.assign(run, { end: byte + 1, place: Math.min(run.place, place) });
  }
  runs.sort((one, other) => one.place - other.place);
  return runs.map(({ start, end }) => ({ start, end }));
}

function asksFor(spec: RangeSpec, byte: number, length: number): boolean {
  if ('suffix' in spec) return length - byte <= spec.suffix;
  return byte >= spec.first && (spec.last === undefined || byte <= spec.last);
}
