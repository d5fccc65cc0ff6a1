import test from 'ava';
import { parsePath } from '../../daemon/cache/key.ts';
import { CacheError, type ErrorCode } from '../../daemon/errors.ts';

const decoded: readonly (readonly [promise: string, path: string, components: string[]])[] = [
  [
    'a path is split at its slashes',
    '/distfiles/3c/which-2.23.tar.gz',
    ['distfiles', '3c', 'which-2.23.tar.gz'],
  ],
  ['an escape is decoded', '/a%20b', ['a b']],
  ['the case of an escape does not matter', '/%c3%a4/%C3%A4', ['ä', 'ä']],
  ['what need not be escaped may be', '/%61%2D%7e', ['a-~']],
  ['+ is a plus and no space', '/a+b', ['a+b']],
  ['%2B is the same plus', '/a%2Bb', ['a+b']],
  ['%252F is a name that holds %2F', '/github.com%252Fa%2540v.mod', ['github.com%2Fa%40v.mod']],
  ['%25 is a percent sign', '/100%25', ['100%']],
  ['%252e%252e is a name and climbs nowhere', '/%252e%252e/x', ['%2e%2e', 'x']],
  ['%2500 is a name and no NUL', '/a%2500', ['a%00']],
  ['what RFC 3986 reserves is part of a name', "/a!$&'()*+,;=:@b", ["a!$&'()*+,;=:@b"]],
  ['an escaped question mark is part of a name', '/a%3Fb%23c', ['a?b#c']],
  ['an empty component drops out', '//a///b', ['a', 'b']],
  ['a dot component drops out', '/./a/./b', ['a', 'b']],
  ['an escaped dot component drops out', '/%2e/a', ['a']],
  ['three dots are a name', '/.../a', ['...', 'a']],
  ['dots at the edges of a name stay', '/..a/b../.c', ['..a', 'b..', '.c']],
  ['a line feed is a character like any other', '/a%0Ab', ['a\nb']],
  ['spaces at the edges of a name stay', '/%20a%20', [' a ']],
  ['the case of a name matters', '/A/a', ['A', 'a']],
  [
    'nothing is normalised: two forms of one letter are two names',
    '/%C3%A4/a%CC%88',
    ['ä', 'a\u0308'],
  ],
  ['a path without a slash in front is read all the same', 'a/b', ['a', 'b']],
  [
    'an own name in other letters is a name',
    '/.Package-cache/package-cache',
    ['.Package-cache', 'package-cache'],
  ],
];

for (const [promise, path, components] of decoded) {
  test(`${promise}: ${path}`, (t) => {
    t.deepEqual(parsePath(path).components, components);
  });
}

test('the sources get the spelling of the client, without what drops out', (t) => {
  const { spelled } = parsePath('/./%61+%2B//%252F/%2e/b');
  t.deepEqual(spelled, ['%61+%2B', '%252F', 'b']);
});

const directories = [
  '',
  '/',
  '//',
  '/.',
  '/%2e',
  '/a/',
  '/a//',
  '/a/.',
  '/a/./',
  '/a/%2E',
  '/a/b/',
];
const files = ['/a', '/a/b', '/./a', '//a', '/a/./a', '/a/%2e/b', 'a'];

test('a path that ends in a slash or a dot is a directory, any other a file', (t) => {
  for (const path of directories) t.true(parsePath(path).directory, path);
  for (const path of files) t.false(parsePath(path).directory, path);
});

const refused: readonly (readonly [promise: string, ...paths: string[]])[] = [
  ['a climb', '/..', '/../a', '/a/..', '/a/../b', '/a/b/../../../c', '..'],
  ['an escaped climb', '/%2e%2e', '/.%2e/a', '/%2E./a', '/a/%2e%2E/b'],
  ['an escaped slash', '/a%2fb', '/a%2Fb', '/%2f', '/..%2fa', '/%2e%2e%2fa'],
  ['a backslash', '/a\\b', '/a%5cb', '/a%5Cb', '/..\\a', '/%5c'],
  ['a NUL', '/%00', '/a%00', '/%00a', '/a%00.tar.gz', '/a\0b'],
  [
    'a broken escape',
    '/%',
    '/a%',
    '/%2',
    '/%2/a',
    '/%zz',
    '/%2g',
    '/%g2',
    '/% 20',
    '/%u0041',
    '/%%',
    '/%+2',
  ],
  [
    'a lone byte of UTF-8',
    '/%80',
    '/%bf',
    '/%ff',
    '/%fe',
    '/%c3',
    '/%c3%',
    '/%c3/%a4',
    '/%c3(',
    '/%e2%82',
  ],
  ['overlong UTF-8', '/%c0%ae%c0%ae/a', '/%c0%af', '/%c1%81', '/%e0%80%af', '/%f0%80%80%af'],
  [
    'a surrogate or what is beyond Unicode',
    '/%ed%a0%80',
    '/%ed%bf%bf',
    '/%f4%90%80%80',
    '/%f5%80%80%80',
    '/\ud800',
    '/a\udc00b',
    '/%20\ud83d',
  ],
];

for (const [promise, ...paths] of refused) {
  test(`${promise} is refused: ${JSON.stringify(paths)}`, (t) => {
    for (const path of paths) t.is(codeOf(path), 'bad-request', path);
  });
}

test("names of the cache's own are not found, at any depth and in any spelling", (t) => {
  const own = [
    '/.package-cache',
    '/.package-cache/',
    '/.package-cache/id',
    '/.package-cache/health',
    '/.package-cache-self',
    '/.package-cacheX',
    '/a/.package-cache-self',
    '/a/b/.package-cache/partial/c',
    '/%2epackage-cache/id',
    '/%2Epackage%2Dcache/id',
    '//.package-cache/id',
    '/./.package-cache/id',
  ];
  for (const path of own) t.is(codeOf(path), 'not-found', path);
});

const fits: readonly string[] = [
  'a'.repeat(255),
  '%61'.repeat(255),
  `${'%C3%A4'.repeat(127)}a`,
  '%F0%9F%A6%80'.repeat(63),
  '%25'.repeat(255),
];
const overflows: readonly string[] = [
  'a'.repeat(256),
  '%61'.repeat(256),
  '%C3%A4'.repeat(128),
  '%F0%9F%A6%80'.repeat(64),
  '%25'.repeat(256),
];

test('a name has at most 255 bytes of what it is decoded to', (t) => {
  for (const name of fits) t.is(codeOf(`/x/${name}`), undefined, name.slice(0, 20));
  for (const name of overflows) t.is(codeOf(`/x/${name}`), 'bad-request', name.slice(0, 20));
});

test('a key has at most 1024 bytes, and what drops out is not counted', (t) => {
  const most = `${'a'.repeat(127)}/`.repeat(7);
  t.is(codeOf(`/${most}${'b'.repeat(128)}`), undefined);
  t.is(codeOf(`//./${most}/./${'b'.repeat(128)}/`), undefined);
  t.is(codeOf(`/${most}${'b'.repeat(129)}`), 'bad-request');
  t.is(codeOf(`/${most}${'%C3%A4'.repeat(64)}c`), 'bad-request');
});

test('an error shows the beginning of a long path, not all of it', (t) => {
  for (const end of ['a'.repeat(256), '%', '..', '.package-cache', 'a/'.repeat(600)]) {
    const error = t.throws(() => parsePath(`/${'a/'.repeat(100)}${end}`), {
      instanceOf: CacheError,
    });
    t.true((error?.message.length ?? 0) < 400, end.slice(0, 20));
  }
});

function codeOf(path: string): ErrorCode | undefined {
  try {
    parsePath(path);
    return undefined;
  } catch (error) {
    if (error instanceof CacheError) return error.code;
    throw error;
  }
}
