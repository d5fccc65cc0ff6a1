import test from 'ava';
import fc from 'fast-check';
import { formatDistLine, parseDistLine, parseDistLines } from '../../daemon/gentoo/dist-line.ts';

const b = 'b'.repeat(128);
const s = '5'.repeat(128);
const blake2b = { size: 12, algorithm: 'blake2b512', hash: b };

test('a line tells name, size and BLAKE2B', (t) => {
  const line = `DIST which-2.23.tar.gz 12 BLAKE2B ${b} SHA512 ${s}`;
  t.deepEqual(parseDistLine(line), { name: 'which-2.23.tar.gz', digest: blake2b });
});

test('BLAKE2B goes before SHA512 wherever it stands, and SHA512 will do without it', (t) => {
  const others = `SHA256 ${'2'.repeat(64)} WHIRLPOOL ${'f'.repeat(128)}`;
  const both = parseDistLine(`DIST a 12 ${others} SHA512 ${s} BLAKE2B ${b}`);
  t.deepEqual(both, { name: 'a', digest: blake2b });
  const alone = parseDistLine(`DIST a 12 ${others} SHA512 ${s}`);
  t.deepEqual(alone, { name: 'a', digest: { size: 12, algorithm: 'sha512', hash: s } });
  t.is(parseDistLine(`DIST a 12 ${others}`), 'unknown');
});

test('digits in upper case, more blanks and a CR are as good', (t) => {
  const line = `DIST  a\t12 BLAKE2B ${b.toUpperCase()}\r`;
  t.deepEqual(parseDistLine(line), { name: 'a', digest: blake2b });
});

for (const [written, name] of [
  ['a\\x20b', 'a b'],
  ['a\\x5Cb', 'a\\b'],
  ['\\u00e9t\\u00C9', 'étÉ'],
  ['\\U0001F600', '😀'],
  ['\\U00000061', 'a'],
  ['é😀', 'é😀'],
  ['a%2Fb@v!~{}[],+', 'a%2Fb@v!~{}[],+'],
]) {
  test(`${written} is the name ${name}`, (t) => {
    const parsed = parseDistLine(`DIST ${written} 12 BLAKE2B ${b}`);
    t.deepEqual(parsed, { name, digest: blake2b });
  });
}

for (const [title, line] of Object.entries({
  'without anything': 'DIST ',
  'without a size': `DIST a BLAKE2B ${b}`,
  'without a hash': 'DIST a 12',
  'with half a pair': `DIST a 12 BLAKE2B ${b} SHA512`,
  'with a hash cut short': `DIST a 12 BLAKE2B ${b.slice(1)}`,
  'with a hash that is no hexadecimal number': `DIST a 12 BLAKE2B ${'g'.repeat(128)}`,
  'with a spoilt BLAKE2B beside a right SHA512': `DIST a 12 BLAKE2B x SHA512 ${s}`,
  'with a negative size': `DIST a -12 BLAKE2B ${b}`,
  'with a fraction for a size': `DIST a 1.2 BLAKE2B ${b}`,
  'with a size that no number holds': `DIST a 9007199254740993 BLAKE2B ${b}`,
  'that names a path': `DIST a/b 12 BLAKE2B ${b}`,
  'that names a path by an escape': `DIST a\\x2fb 12 BLAKE2B ${b}`,
  'that names a NUL': `DIST a\\x00 12 BLAKE2B ${b}`,
  'that names ..': `DIST .. 12 BLAKE2B ${b}`,
  'with a lone backslash': `DIST a\\b 12 BLAKE2B ${b}`,
  'with half an escape': `DIST a\\x2 12 BLAKE2B ${b}`,
  'with a short \\U': `DIST a\\U0041 12 BLAKE2B ${b}`,
  'beyond Unicode': `DIST \\U00110000 12 BLAKE2B ${b}`,
  'with half a character': `DIST \\ud83d 12 BLAKE2B ${b}`,
})) {
  test(`a line ${title} is malformed`, (t) => {
    t.is(parseDistLine(line), 'malformed');
  });
}

test('a signed Manifest with other lines tells its DIST lines, and counts the malformed', (t) => {
  const text = [
    '-----BEGIN PGP SIGNED MESSAGE-----',
    'Hash: SHA512',
    '',
    `AUX a.patch 1 BLAKE2B ${b}`,
    `DIST a 12 BLAKE2B ${b} SHA512 ${s}`,
    'DIST b',
    `DIST c 12 MD5 ${'d'.repeat(32)}`,
    `EBUILD a-1.ebuild 1 BLAKE2B ${b}`,
    `DISTRUST d 12 BLAKE2B ${b}`,
    '-----BEGIN PGP SIGNATURE-----',
    'DIST=',
    '-----END PGP SIGNATURE-----',
  ].join('\n');
  t.deepEqual(parseDistLines(text), { lines: [{ name: 'a', digest: blake2b }], malformed: 1 });
});

const names = fc
  .string({ unit: 'binary', minLength: 1 })
  .filter((name) => !/[/\0]/.test(name) && name !== '.' && name !== '..');

test('any name and digest that is written is read as it was', (t) => {
  const digits = fc.stringMatching(/^[0-9a-f]{128}$/);
  const digest = fc.record({
    size: fc.maxSafeNat(),
    algorithm: fc.constantFrom('blake2b512' as const, 'sha512' as const),
    hash: digits,
  });
  const property = fc.property(fc.record({ name: names, digest }), (line) => {
    t.deepEqual(parseDistLines(`${formatDistLine(line)}\n`), { lines: [line], malformed: 0 });
  });
  t.notThrows(() => fc.assert(property));
});

test('no line makes it throw', (t) => {
  const pieces = fc.constantFrom(
    'DIST',
    ' ',
    '\\',
    'x',
    'u',
    'U',
    '0',
    'f',
    'BLAKE2B',
    b,
    'é',
    '\t',
  );
  const property = fc.property(fc.array(pieces), (line) => {
    parseDistLine(`DIST ${line.join('')}`);
  });
  t.notThrows(() => fc.assert(property));
});
