import test from 'ava';
import { refusal, route, word } from './targets.ts';

const urls: readonly (readonly [promise: string, target: string, expected: string])[] = [
  ['the URL of a source is its path', 'http://distfiles.gentoo.org/a/b.tgz', 'root a/b.tgz'],
  ['the base path is no part of it', 'http://mirror.example.org/debian/a.deb', 'debian a.deb'],
  ['an escaped base path is the same', 'http://mirror.example.org/%64ebian/a.deb', 'debian a.deb'],
  ['a base path is compared decoded', 'http://[2001:db8::7]:8080/pub/odd%20name/a', 'six a'],
  ['the spelling behind it stays', 'http://mirror.example.org/debian/a%2Bb', 'debian a+b [a%2Bb]'],
  ['the longest base path decides', 'http://mirror.example/gentoo/snapshots/a.tgz', 'snap a.tgz'],
  ['a shorter base path has the rest', 'http://mirror.example/gentoo/a.tgz', 'root a.tgz'],
  ['half a name of a base path is none', 'http://mirror.example/gentoo/snapshot', 'root snapshot'],
  ['http may name a source on https', 'http://mirror.example/gentoo/b.tgz', 'root b.tgz'],
  ['https may name a source on http', 'https://distfiles.gentoo.org/a.tgz', 'root a.tgz'],
  ['443 is as good as 80', 'http://distfiles.gentoo.org:443/a.tgz', 'root a.tgz'],
  ['80 is as good as 443', 'https://mirror.example:80/gentoo/a.tgz', 'root a.tgz'],
  ['any scheme will do', 'ftp://distfiles.gentoo.org/a.tgz', 'root a.tgz'],
  ['scheme and host have no case', 'HTTP://DistFiles.Gentoo.ORG/A.tgz', 'root A.tgz'],
  ['a dot ends the same host', 'http://distfiles.gentoo.org./a.tgz', 'root a.tgz'],
  ['an empty port is the usual one', 'http://distfiles.gentoo.org:/a.tgz', 'root a.tgz'],
  ['a URL without a path is the root', 'http://distfiles.gentoo.org', 'pass root'],
  ['a URL may have a query', 'http://mirror.example.org/debian/a?b', 'pass debian a [a?b]'],
  ['a URL may have no path but a query', 'http://distfiles.gentoo.org?b', 'pass root [?b]'],
  ['a host ends at the query', 'http://distfiles.gentoo.org?@b.example', 'pass root [?@b.example]'],
  ['a base path alone passes', 'http://mirror.example.org/debian', 'pass debian'],
  ['our own URL is a path', 'http://cache:4000/debian/a.deb', 'debian a.deb'],
];

for (const [promise, target, expected] of urls) {
  test(`${promise}: ${target} (RFC 9112 3.2.2)`, (t) => {
    t.is(word(route({ target })), expected);
  });
}

test('the Host beside a URL is ignored (RFC 9112 3.2.2)', (t) => {
  const target = 'http://distfiles.gentoo.org/a.tgz';
  for (const host of ['mirror.example.org', 'evil.example', 'cache:4000']) {
    t.is(word(route({ target, host })), 'root a.tgz', host);
  }
  const own = route({ target: 'http://cache:4000/pool/a.deb', host: 'mirror.example.org' });
  t.is(word(own), 'root pool/a.deb');
});

const foreign = [
  'http://evil.example/a.tgz',
  'http://evil.example',
  'https://evil.example/a.tgz',
  'ftp://evil.example/a.tgz',
  'ws://evil.example/',
  // A source's host, at another port or beside its base path.
  'http://mirror.example.org:8080/debian/a.deb',
  'http://[2001:db8::7]/pub/odd%20name/a.tgz',
  'http://mirror.example.org/',
  'http://mirror.example.org/debian2/a.deb',
  'http://mirror.example.org/DEBIAN/a.deb',
  'http://mirror.example/a.tgz',
  // Hosts that only look like a source's.
  'http://sub.mirror.example.org/debian/a.deb',
  'http://mirror.example.org.evil.example/debian/a.deb',
  'http://mirror.example.org%2eevil.example/debian/a.deb',
  'http://cache/a.tgz',
  'http://cache:4001/a.tgz',
  'http://127.0.0.1:22/',
  'http://169.254.169.254/latest/meta-data',
  'http://[::1]/a.tgz',
];

for (const target of foreign) {
  test(`we are no open proxy for ${target}`, (t) => {
    t.is(refusal({ target }), 'forbidden');
    t.is(refusal({ target, host: 'cache:4000' }), 'forbidden');
    t.is(refusal({ target, host: 'mirror.example.org' }), 'forbidden');
  });
}

const redirected: readonly (readonly [promise: string, host: string, expected: string])[] = [
  ['a Host that names a source counts like its URL', 'mirror.example.org', 'debian a.deb'],
  ['so does one on the port of https', 'mirror.example.org:443', 'debian a.deb'],
  ['and one in other letters and with a dot', 'Mirror.EXAMPLE.org.:80', 'debian a.deb'],
];

for (const [promise, host, expected] of redirected) {
  test(`${promise}, as behind DNAT: ${host}`, (t) => {
    t.is(word(route({ target: '/debian/a.deb', host })), expected);
    t.is(word(route({ target: '/debian//%61.deb', host })), 'debian a.deb [%61.deb]');
    // By path this would be the root's.
    t.is(refusal({ target: '/pool/a.deb', host }), 'forbidden');
  });
}

test('an IPv6 Host names its source with its port alone', (t) => {
  const target = '/pub/odd%20name/a.tgz';
  t.is(word(route({ target, host: '[2001:DB8::7]:8080' })), 'six a.tgz');
  t.is(
    word(route({ target, host: '[2001:db8::7]' })),
    'root pub/odd name/a.tgz [pub/odd%20name/a.tgz]',
  );
});

test('a Host with a port of another class is another host', (t) => {
  t.is(word(route({ target: '/pool/a.deb', host: 'mirror.example.org:4000' })), 'root pool/a.deb');
});

test('our own address is never taken for a source, even if it is configured as one', (t) => {
  t.is(word(route({ target: '/pool/a.deb', host: 'cache:4000' })), 'root pool/a.deb');
  t.is(word(route({ target: 'http://cache:4000/pool/a.deb' })), 'root pool/a.deb');
  t.is(word(route({ target: '/pool/a.deb', host: 'cache:443' })), 'root pool/a.deb');
});

test('our own addresses, which take a system call, are not looked up for just any Host', (t) => {
  let lookUps = 0;
  const isOwn = () => {
    lookUps += 1;
    return false;
  };
  for (const host of ['192.0.2.1:4000', 'cache', undefined]) {
    t.is(word(route({ target: '/pool/a.deb', host }, isOwn)), 'root pool/a.deb');
  }
  t.is(lookUps, 0);
  route({ target: '/debian/a.deb', host: 'mirror.example.org' }, isOwn);
  t.is(lookUps, 1);
});

const shadowed = ['debian/a.deb', 'snap/a.tgz', 'six/a', 'debian'];

test('what a source of the root has under the name of a repository is passed, not stored', (t) => {
  for (const path of shadowed) {
    const target = `http://distfiles.gentoo.org/${path}`;
    t.is(word(route({ target })), `pass root ${path}`);
    t.is(word(route({ target: `/${path}`, host: 'distfiles.gentoo.org' })), `pass root ${path}`);
  }
  t.is(word(route({ target: 'http://distfiles.gentoo.org/debian2/a' })), 'root debian2/a');
});
