import test from 'ava';
import fc from 'fast-check';
import { parsePath } from '../../daemon/cache/key.ts';
import { refusal, route, word } from './targets.ts';

const paths: readonly (readonly [promise: string, target: string, expected: string])[] = [
  ['a path is one of the root', '/distfiles/3c/a.tgz', 'root distfiles/3c/a.tgz'],
  ["the client's spelling goes to the sources", '/%61%2Bb%252F', 'root a+b%2F [%61%2Bb%252F]'],
  ['empty and dot components go nowhere', '//a/./b.tgz', 'root a/b.tgz'],
  ['two slashes in front are a path, not a host', '//mirror.example/a', 'root mirror.example/a'],
  ['a URL behind a slash is a path', '/http://mirror.example/a', 'root http:/mirror.example/a'],
  ['a path that ends in a slash passes', '/distfiles/', 'pass root distfiles [distfiles/]'],
  ['a path that ends in a dot is a directory', '/distfiles/.', 'pass root distfiles [distfiles/]'],
  ['the root passes', '/', 'pass root'],
  ['a query passes', '/a.tgz?b=c&d', 'pass root a.tgz [a.tgz?b=c&d]'],
  ['an empty query passes', '/a.tgz?', 'pass root a.tgz [a.tgz?]'],
  ['a second question mark belongs to the query', '/a?b?c', 'pass root a [a?b?c]'],
  ['a query is no path and may hold anything', '/a?../%zz', 'pass root a [a?../%zz]'],
  ['an escaped question mark is no query', '/a%3Fb.tgz', 'root a?b.tgz [a%3Fb.tgz]'],
  ['a directory keeps its query', '/a/?C=M', 'pass root a [a/?C=M]'],
  ['the root keeps its query', '/?a', 'pass root [?a]'],
  ['a prefix chooses its repository', '/debian/pool/a.deb', 'debian pool/a.deb'],
  ['an escaped prefix chooses it too', '/%64ebian/pool/a.deb', 'debian pool/a.deb'],
  ['a prefix behind empty components chooses it too', '//./debian/a.deb', 'debian a.deb'],
  ['a prefix alone is the root of its repository', '/debian', 'pass debian'],
  ['a prefix with a slash is the same', '/debian/', 'pass debian'],
  ['a prefix with a query asks its root', '/debian?a', 'pass debian [?a]'],
  ['a prefix in other letters is a name', '/Debian/a.deb', 'root Debian/a.deb'],
  ['a name that begins like a prefix is a name', '/debian2/a.deb', 'root debian2/a.deb'],
  ['a prefix further down is a name', '/a/debian/a.deb', 'root a/debian/a.deb'],
  ['a prefix below itself is a name', '/debian/debian/a.deb', 'debian debian/a.deb'],
];

for (const [promise, target, expected] of paths) {
  test(`${promise}: ${target}`, (t) => {
    t.is(word(route({ target, host: 'cache:4000' })), expected);
    t.is(word(route({ target })), expected);
  });
}

test('a Host that names no source is ignored, and the path decides', (t) => {
  for (const host of ['cache', 'evil.example', 'localhost:4000', '192.0.2.1:80', '.', '']) {
    t.is(word(route({ target: '/debian/a.deb', host })), 'debian a.deb', host);
  }
});

test('a key begins with the name of its repository, which the root has not', (t) => {
  t.is(route({ target: '/debian/pool/a.deb' }).key, 'debian/pool/a.deb');
  t.is(route({ target: '/pool/a.deb' }).key, 'pool/a.deb');
  t.is(route({ target: '/pool/a+%2B.deb' }).key, 'pool/a++.deb');
});

const bad: readonly (readonly [promise: string, ...targets: string[]])[] = [
  ['nothing', ''],
  ['an asterisk', '*'],
  ['a path without a slash', 'a.tgz', '.', '..', '../a', '?a', 'distfiles/a.tgz'],
  ['a fragment', '#', '/#', '/a.tgz#b', '/a?b#c', 'http://distfiles.gentoo.org/a#b'],
  ['a host and port without a scheme', 'mirror.example.org:80', 'cache:4000/a'],
  ['a URL without an authority', 'http:a', 'http:/a', 'mailto:a@b', 'data:,a', 'javascript:a'],
  ['a scheme that is none', '1http://cache/', '://cache/', '-://cache/'],
  ['a URL without a host', 'http://', 'http:///', 'http:///a.tgz', 'http://:80/a', 'http://?a'],
  ['a URL with a user', 'http://a@mirror.example.org/debian/a', 'http://a:b@cache:4000/a'],
  ['a URL with a port that is none', 'http://cache:x/', 'http://cache:99999/', 'http://a:-1/'],
  ['a URL with brackets that are no IPv6', 'http://[::1/', 'http://::1/', 'http://[::g]/a'],
  ['a URL with a zone', 'http://[fe80::1%25lo]/a'],
  ['a URL with a backslash in its host', 'http://mirror.example.org\\@evil.example/'],
  ['a climb', '/..', '/a/../b', '/%2e%2e/a', '/debian/../a', '/debian/..'],
  ['a climb out of a base path', 'http://mirror.example.org/debian/../a', 'http://evil.example/..'],
  ['an escape that is broken or hides something', '/%', '/%zz', '/%00', '/a%2fb', '/a%5Cb', '/%ff'],
];

for (const [promise, ...targets] of bad) {
  test(`${promise} is no target: ${targets.join(' ')}`, (t) => {
    for (const target of targets)
      t.is(refusal({ target, host: 'cache:4000' }), 'bad-request', target);
  });
}

test("the cache's own names are not found, in whatever form", (t) => {
  const targets = [
    '/.package-cache/id',
    '/.package-cache/health/',
    '/.package-cache/health?a',
    '/debian/.package-cache-self',
    'http://mirror.example.org/debian/.package-cache/id',
    'http://cache:4000/.package-cache/id',
  ];
  for (const target of targets) t.is(refusal({ target }), 'not-found', target);
});

const piece = fc.constantFrom(
  '/',
  '.',
  '..',
  '%2e',
  'a',
  'debian',
  'snap',
  '%2B',
  '+',
  '%252F',
  ' ',
);
const tail = fc.constantFrom('', '/', '?', '?a', '#', '%');

test('what is stored under a key is what the sources are asked for, below its repository', (t) => {
  const target = fc.tuple(fc.array(piece, { maxLength: 8 }), tail);
  t.notThrows(() =>
    fc.assert(
      fc.property(target, ([pieces, end]) => {
        const asked = { target: `/${pieces.join('')}${end}` };
        if (refusal(asked) !== undefined) return;
        const { key, path, repository, upstreamPath, pass } = route(asked);
        t.is(key, repository.name === '' ? path : `${repository.name}/${path}`);
        t.is(parsePath(upstreamPath.split('?')[0] ?? '').components.join('/'), path);
        if (!pass) t.false(path === '' || upstreamPath.endsWith('/') || upstreamPath.includes('?'));
        if (repository.name === '') t.notRegex(pass ? '' : key, /^(?:debian|snap|six)(?:\/|$)/);
      }),
    ),
  );
});
