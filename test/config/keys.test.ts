import test from 'ava';
import fc from 'fast-check';
import { findKey, keyNames, rightSpelling, unknownKey } from '../../daemon/config/key-names.ts';
import { keys } from '../../daemon/config/keys.ts';
import { defaultMinFree, minFreeBytes, parseMinFree } from '../../daemon/config/min-free.ts';
import { nearest } from '../../daemon/config/nearest.ts';
import { CacheError } from '../../daemon/errors.ts';

const gigabyte = 1024 ** 3;
const day = 86_400_000;

for (const name of keyNames) {
  const row = keys[name];
  test(`${name} has one line of why that fits a terminal`, (t) => {
    t.regex(row.why, /^[A-Z].*\.$/);
    t.true(row.why.length < 90);
  });

  test(`${name} takes what is shown of it`, (t) => {
    t.notThrows(() => row.parse('example' in row ? row.example : row.default));
  });
}

test('every key has a field of its own', (t) => {
  t.is(new Set(keyNames.map((name) => keys[name].field)).size, keyNames.length);
});

const accepted: readonly (readonly [keyof typeof keys, string, unknown])[] = [
  ['PC_USER', 'package-cache', 'package-cache'],
  ['PC_GROUP', '101', '101'],
  ['CACHE_DIR', '/srv/my cache/', '/srv/my cache'],
  ['HOST', '::', ['::']],
  ['HOST', 'fe80::1%eth0', ['fe80::1%eth0']],
  ['HOST', ' cache.example.org\n127.0.0.1 ', ['cache.example.org', '127.0.0.1']],
  ['HOST', '0.0.0.0 fd00::5', ['0.0.0.0', 'fd00::5']],
  ['PORT', '0', 0],
  [
    'UPSTREAM_NO_PROXY',
    'Mirror.lan. .example.org fd00::5',
    ['mirror.lan', 'example.org', 'fd00::5'],
  ],
  ['PORT', '65535', 65535],
  ['PC_OPTS', ' --syslog\n--verbose ', ['--syslog', '--verbose']],
  ['MUTABLE', 'a/** *.{db,files}', ['a/**', '*.{db,files}']],
  ['MUTABLE_TTL', '0', 0],
  ['NEGATIVE_TTL', '1.5m', 90_000],
  ['HEDGE_AFTER', '500ms', 500],
  ['MAX_SIZE', '1.5T', 1.5 * 1024 * gigabyte],
  ['MIN_FREE', '2G', { bytes: 2 * gigabyte }],
  ['MIN_FREE', '2.5%', { share: 0.025 }],
  ['MIN_FREE', '0', { bytes: 0 }],
  ['CULL_OLDER_THAN', '90d', 90 * day],
  ['ALLOW', 'any', ['any']],
  [
    'ALLOW',
    '10.1.2.3/8 ::1\n2001:db8::1/32 192.0.2.1 ::ffff:10.0.0.0/104',
    ['10.1.2.3/8', '::1', '2001:db8::1/32', '192.0.2.1', '::ffff:10.0.0.0/104'],
  ],
  ['CONTROL_SOCKET', `/${'s'.repeat(106)}`, `/${'s'.repeat(106)}`],
  ['MANIFESTS', '/a/ /b', ['/a', '/b']],
  ['LOG_LEVEL', 'debug', 'debug'],
  ['MAX_FILLS', '1', 1],
  ['MAX_HEAD_SIZE', '256K', 262_144],
  ['MAX_HEAD_SIZE', '1024', 1024],
  ['HEAD_TIMEOUT', '1', 1000],
  ['STALL_TIMEOUT', '1h', 3_600_000],
  ['SENDFILE', 'no', false],
];

for (const [name, text, value] of accepted) {
  test(`${name}="${text.replaceAll('\n', ' ')}" is understood`, (t) => {
    t.deepEqual(keys[name].parse(text), value);
  });
}

const refused: readonly (readonly [keyof typeof keys, string, RegExp])[] = [
  ['PC_USER', 'a b', /name or number of an account/],
  ['PC_USER', '-x', /name or number of an account/],
  ['CACHE_DIR', 'cache', /"cache" is no absolute path/],
  ['CACHE_DIR', '~/cache', /no absolute path/],
  ['CACHE_DIR', '/', /a directory of its own/],
  ['CACHE_DIR', '/srv/..', /a directory of its own/],
  ['CACHE_DIR', '/srv/cache ', /begins or ends with white space/],
  ['UPSTREAM_NO_PROXY', 'a.lan,b.lan', /separate hosts with white space/],
  ['UPSTREAM_NO_PROXY', '*', /leave out UPSTREAM_PROXY/],
  ['UPSTREAM_NO_PROXY', '10.0.0.0/8', /"10\.0\.0\.0\/8" is no host/],
  ['UPSTREAM_NO_PROXY', 'http://a.lan/', /is no host/],
  ['HOST', '*', /write 0\.0\.0\.0/],
  ['HOST', '[::1]', /without brackets/],
  ['HOST', '0.0.0.0:4000', /goes into PORT/],
  ['HOST', '127.0.0.1 ::1 127.0.0.1', /"127\.0\.0\.1" is listed twice/],
  ['HOST', '0.0.0.0 127.0.0.1', /0\.0\.0\.0 has "127\.0\.0\.1" in it/],
  ['HOST', '::1 ::', /:: has "::1" in it/],
  ['HOST', ':: 0.0.0.0', /:: has "0\.0\.0\.0" in it/],
  ['HOST', '192.168.1', /no address and no host name/],
  ['HOST', '256.0.0.1', /no address and no host name/],
  ['HOST', 'http://x', /no address and no host name/],
  ['PORT', '65536', /from 0 to 65535/],
  ['PORT', '-1', /from 0 to 65535/],
  ['PORT', '0x10', /from 0 to 65535/],
  ['PORT', '80.5', /from 0 to 65535/],
  ['PORT', '80 81', /from 0 to 65535/],
  ['SOURCES', 'http://a/ ftp://b/', /"ftp:\/\/b\/": ftp:\/\/ is not possible/],
  ['SOURCES', 'http://a/\n# http://b/', /# within quotes is no comment/],
  ['SOURCES_<name>', 'debian', /"debian": it has no scheme/],
  ['MUTABLE', '/dists/**', /leave out the \//],
  ['MUTABLE', '!*.deb', /cannot be negated/],
  ['IMMUTABLE', '*.{deb,rpm', /unbalanced bracket/],
  ['MUTABLE_TTL', '60x', /number and one of ms s m h d w y/],
  ['HEDGE_AFTER', '30d', /at most 1d/],
  ['MAX_SIZE', '0', /less than 1M/],
  ['MAX_SIZE', '200', /less than 1M, write a unit as in 200G/],
  ['MAX_SIZE', '10X', /number and one of K M G T/],
  ['MIN_FREE', '5', /less than 1M, write a unit as in 5G or 5%/],
  ['MIN_FREE', '100%', /share below 100%/],
  ['MIN_FREE', '-5%', /share below 100%/],
  ['CULL_OLDER_THAN', '90', /less than a day, write a unit as in 90d/],
  ['CULL_OLDER_THAN', '0', /less than a day/],
  ['ALLOW', '192.168.1.0/33', /length is 0 to 32/],
  ['ALLOW', '::/129', /length is 0 to 128/],
  ['ALLOW', '10.0.0.0/', /length is 0 to 32/],
  ['ALLOW', '10.0.0.0/08', /length is 0 to 32/],
  ['ALLOW', '10.0.0.0/255.0.0.0', /length is 0 to 32/],
  ['ALLOW', '192.168.1', /no address, no network such as/],
  ['ALLOW', '10.0.0.0/8,::1', /length is 0 to 32/],
  ['ALLOW', '192.168.1.*', /no address/],
  ['ALLOW', 'fe80::1%eth0', /no address/],
  ['ALLOW', 'privat', /none of loopback private local any, did you mean private\?/],
  ['CONTROL_SOCKET', `/${'s'.repeat(107)}`, /at most 107 bytes, not 108/],
  ['CONTROL_SOCKET', `/${'ü'.repeat(54)}`, /at most 107 bytes, not 109/],
  ['CONTROL_SOCKET', '@abstract', /no absolute path/],
  ['MANIFESTS', '/a b', /"b" is no absolute path/],
  ['UPSTREAM_PROXY', 'socks5://h:1', /"socks5:\/\/h:1": socks5:\/\/ is not possible/],
  ['LOG_LEVEL', 'warning', /one of error warn info debug$/],
  ['LOG_LEVEL', 'Infos', /did you mean info\?/],
  ['ACCESS_LOG', 'access.log', /no absolute path/],
  ['MAX_FILLS', '0', /from 1 to 1000000/],
  ['MAX_CONNECTIONS', 'many', /from 1 to 1000000/],
  ['MAX_CONNECTIONS_PER_CLIENT', '1e3', /from 1 to 1000000/],
  ['MAX_FILLS_PER_SOURCE', '0', /from 1 to 1000000/],
  ['MAX_QUEUE', '0', /from 1 to 1000000/],
  ['MAX_CONTROL_CONNECTIONS', '0', /from 1 to 1000000/],
  ['MAX_HEAD_SIZE', '0', /from 1K to 256K/],
  ['MAX_HEAD_SIZE', '1M', /from 1K to 256K/],
  ['HEAD_TIMEOUT', '0', /from 1s to 1h/],
  ['HEAD_TIMEOUT', '30ms', /from 1s to 1h/],
  ['IDLE_TIMEOUT', '0', /from 1s to 1h/],
  ['STALL_TIMEOUT', '1d', /from 1s to 1h/],
];

for (const [name, text, reason] of refused) {
  test(`${name}="${text.replaceAll('\n', ' ')}" is refused with the way out`, (t) => {
    const error = t.throws(() => keys[name].parse(text), { instanceOf: CacheError });
    t.regex(error.reason, reason);
  });
}

test('a repository has a row by the form of its name', (t) => {
  t.is(findKey('SOURCES_debian_12')?.name, 'SOURCES_<name>');
  t.is(findKey('PORT')?.name, 'PORT');
  for (const name of ['SOURCES_', 'SOURCES_Debian', 'SOURCES_<name>x', 'toString', 'port']) {
    t.is(findKey(name), undefined);
  }
});

test('a key in another case is told its spelling, and a right one is not', (t) => {
  t.is(rightSpelling('max_size'), 'MAX_SIZE');
  t.is(rightSpelling('Sources_DEBIAN'), 'SOURCES_debian');
  for (const name of ['MAX_SIZE', 'SOURCES_debian', 'rc_need', 'supervisor', 'command_args']) {
    t.is(rightSpelling(name), undefined);
  }
});

test('an unknown key is told the nearest one, or none when none is near', (t) => {
  t.is(unknownKey('CACHEDIR'), 'unknown key, did you mean CACHE_DIR?');
  t.is(unknownKey('PROT'), 'unknown key, did you mean PORT?');
  t.is(unknownKey('SOURCE'), 'unknown key, did you mean SOURCES?');
  t.is(
    unknownKey('MAX_CONNECTION_PER_CLIENT'),
    'unknown key, did you mean MAX_CONNECTIONS_PER_CLIENT?',
  );
  t.is(unknownKey('FOO'), 'unknown key');
  t.is(unknownKey('WORKERS'), 'unknown key');
});

test('a word with one slip is nearest to itself', (t) => {
  // Without its first letter IMMUTABLE is as near to MUTABLE.
  const names = keyNames.filter((name) => name !== 'IMMUTABLE');
  const property = fc.property(fc.constantFrom(...names), fc.nat(), (name, seed) => {
    const at = seed % (name.length - 1);
    const swapped = name.slice(0, at) + name[at + 1] + name[at] + name.slice(at + 2);
    const dropped = name.slice(0, at) + name.slice(at + 1);
    return [swapped, dropped].every((word) => nearest(word, names) === name);
  });
  t.notThrows(() => fc.assert(property));
});

test('what stays free is the smaller of the bytes and the share', (t) => {
  t.is(minFreeBytes(defaultMinFree, 1000 * gigabyte), gigabyte);
  t.is(minFreeBytes(defaultMinFree, 10 * gigabyte), gigabyte / 2);
  t.is(minFreeBytes(parseMinFree('5%'), 1000 * gigabyte), 50 * gigabyte);
  t.is(minFreeBytes(parseMinFree('2G'), gigabyte), 2 * gigabyte);
  t.is(minFreeBytes(parseMinFree('0'), gigabyte), 0);
  t.is(minFreeBytes({}, gigabyte), 0);
});
