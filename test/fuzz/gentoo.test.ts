import assert from 'node:assert/strict';
import test from 'ava';
import {
  formatDistLine,
  type NamedDigest,
  parseDistLine,
  parseDistLines,
} from '../../daemon/gentoo/dist-line.ts';
import { distfileIn, distfilePath } from '../../daemon/gentoo/distfile.ts';
import { foldersIn, HASHED_CONF, parseLayoutConf } from '../../daemon/gentoo/layout-conf.ts';
import { holds } from './fuzz.ts';
import { mutate, mutated, words } from './mutate.ts';
import type { Random } from './random.ts';

const hash = (digit: string) => digit.repeat(128);

const line = `DIST which-2.23.tar.gz 195932 BLAKE2B ${hash('a')} SHA512 ${hash('0')}`;

const pieces = [
  ...words(
    'DIST EBUILD AUX BLAKE2B SHA512 SHA256 MD5 blake2b which-2.23.tar.gz 195932 0 -1 1e3 0x10',
  ),
  ...words(
    '9007199254740993 . .. ../x a/b /etc/passwd \\x2f \\x00 \\x2e\\x2e \\u002f \\u0041 \\ud800 \\U0010FFFF',
  ),
  ...words('\\U00110000 \\U0000002f \\ \\\\ \\x \\xzz .package-cache ä'),
  ...[
    ' ',
    '  ',
    '\t',
    '\n',
    '\r\n',
    '\v',
    '\0',
    '\u00a0',
    '\ud800',
    hash('B'),
    hash('c'),
    hash('c').slice(1),
  ],
];

/** GLEP 74, token by token, with pairs read as pairs. */
function modelOf(text: string): NamedDigest | 'unknown' | 'malformed' {
  const [tag, written = '', size = '', ...rest] = text.trimEnd().split(/\s+/);
  const name = unescaped(written);
  const isName = name !== undefined && !['', '.', '..'].includes(name) && !/[/\0]/.test(name);
  const isSize = /^[0-9]+$/.test(size) && BigInt(size) <= BigInt(Number.MAX_SAFE_INTEGER);
  if (tag !== 'DIST' || !isName || !isSize || rest.length === 0 || rest.length % 2 > 0) {
    return 'malformed';
  }
  const pairs = Array.from({ length: rest.length / 2 }, (_, at) => rest.slice(2 * at, 2 * at + 2));
  for (const [word, algorithm] of [
    ['BLAKE2B', 'blake2b512'],
    ['SHA512', 'sha512'],
  ] as const) {
    const value = pairs.find(([key]) => key === word)?.[1]?.toLowerCase();
    if (value === undefined) continue;
    const isHash =
      value.length === 128 && [...value].every((digit) => '0123456789abcdef'.includes(digit));
    return isHash ? { name, digest: { size: Number(size), algorithm, hash: value } } : 'malformed';
  }
  return 'unknown';
}

function unescaped(written: string): string | undefined {
  let name = '';
  for (let at = 0; at < written.length; ) {
    if (written[at] !== '\\') {
      name += written[at];
      at += 1;
      continue;
    }
    const length = { x: 2, u: 4, U: 8 }[written.charAt(at + 1)];
    const digits = written.slice(at + 2, at + 2 + (length ?? 0));
    if (length === undefined || digits.length < length || /[^0-9a-fA-F]/.test(digits))
      return undefined;
    const code = Number.parseInt(digits, 16);
    if (code > 0x10ffff) return undefined;
    name += String.fromCodePoint(code);
    at += 2 + length;
  }
  return name.isWellFormed() ? name : undefined;
}

function makeLine(random: Random): string {
  if (random.oneIn(2))
    return mutate(line, random, { corpus: [line], pieces }).replaceAll('\n', ' ');
  const word = () => random.pick(['BLAKE2B', 'SHA512', 'SHA256', 'MD5']);
  const value = () => (random.oneIn(9) ? random.pick(pieces) : hash(random.pick(['a', 'F', '0'])));
  const pairs = random.several(0, 3, () => `${word()} ${random.oneIn(9) ? word() : value()}`);
  const name = random.oneIn(3) ? random.string(pieces, 3) : `a-${random.below(9)}.tar.gz`;
  const size = random.oneIn(9) ? random.pick(pieces) : String(random.below(100_000));
  return `DIST ${name} ${size} ${pairs.join(' ')}`.replaceAll('\n', ' ');
}

test('a DIST line says what a token by token reading finds, and is passed over otherwise', (t) => {
  holds(t, {
    make: makeLine,
    check: (text) => {
      const parsed = parseDistLine(text);
      assert.deepEqual(parsed, modelOf(text));
      if (typeof parsed === 'string') return parsed;
      assert.deepEqual(parseDistLine(formatDistLine(parsed)), parsed);
      return 'digest';
    },
    kinds: { malformed: 0.2, unknown: 0.01, digest: 0.1 },
  });
});

test('of a Manifest every DIST line is read or counted, and no other line', (t) => {
  const other = [
    '-----BEGIN PGP SIGNED MESSAGE-----',
    'EBUILD which-2.23.ebuild 1 SHA512 x',
    ' DIST',
    '',
  ];
  holds(t, {
    make: (random) =>
      random.several(0, 5, () => (random.oneIn(3) ? random.pick(other) : makeLine(random))),
    check: (lines) => {
      const { lines: read, malformed } = parseDistLines(lines.join('\n'));
      const models = lines.filter((each) => each.startsWith('DIST ')).map(modelOf);
      assert.equal(malformed, models.filter((model) => model === 'malformed').length);
      assert.deepEqual(
        read,
        models.filter((model) => typeof model !== 'string'),
      );
      return read.length > 0 ? 'some' : 'none';
    },
    kinds: { some: 0.2, none: 0.1 },
  });
});

test('whatever a layout.conf says, its folders lie below the distfiles and are hexadecimal', (t) => {
  const corpus = [
    HASHED_CONF,
    '[structure]\n0=flat\n',
    '[structure]\n0=content-hash SHA512 8:8:8\n1=filename-hash SHA512 8:8\n2=flat\n',
    '# comment\n[other]\n0=flat\n[structure]\n10 : filename-hash BLAKE2B 4:4:4\n',
  ];
  const texts = [
    ...words(
      '[structure] [other] 0= 1= 2: flat filename-hash content-hash BLAKE2B SHA512 MD5 8 4 16',
    ),
    ...words('8:8 0 -8 8.5 0x8 1e1 512 516 : :: ../ / % .. 8: :8 #'),
    ...['\n', ' ', '\t', '\r\n', '\n0=', '\0', '\u0661'],
  ];
  holds(t, {
    make: (random) => mutated(random, { corpus, pieces: texts }),
    check: (text) => {
      const layout = parseLayoutConf(text);
      if (layout === undefined) return 'none';
      const folders = foldersIn(layout, 'which-2.23.tar.gz');
      assert.match(folders, /^(?:[0-9a-f]{1,128}\/)*$/);
      assert.equal(folders.split('/').length - 1, layout.cutoffs.length);
      return layout.cutoffs.length === 0 ? 'flat' : 'hashed';
    },
    kinds: { none: 0.1, flat: 0.05, hashed: 0.05 },
  });
});

test('a distfile has one path, and is found by it and by the flat one alone', (t) => {
  holds(t, {
    make: (random) => `${random.string(['a', '-', '1', '.', 'ä', '%', ' ', '\n'], 8, 1)}x`,
    check: (name) => {
      const path = distfilePath(name);
      assert.match(path, /^distfiles\/[0-9a-f]{2}\/[^/]+$/);
      assert.equal(distfileIn(path), name);
      assert.equal(distfileIn(`distfiles/${name}`), name);
      const other = path.replace(
        /^distfiles\/(.)/,
        (_, digit) => `distfiles/${digit === '0' ? '1' : '0'}`,
      );
      assert.equal(distfileIn(other), undefined);
      return 'distfile';
    },
    kinds: { distfile: 1 },
  });
});
