import assert from 'node:assert/strict';
import { posix } from 'node:path';
import test from 'ava';
import { type ParsedPath, parsePath } from '../../daemon/cache/key.ts';
import { CacheError } from '../../daemon/errors.ts';
import { holds } from './fuzz.ts';
import { modelOf } from './key-model.ts';
import { mutated, words } from './mutate.ts';
import type { Random } from './random.ts';

const corpus = [
  '/distfiles/3c/gcc-15.2.0.tar.xz',
  '/distfiles/layout.conf',
  '/distfiles/a7/github.com%252Fpkg%252Ferrors%252F%2540v%252Fv0.9.1.zip',
  '/debian/dists/bookworm/InRelease',
  '/debian/pool/main/libs/libstdc%2b%2b6_12~rc1-1+b2_amd64.deb',
  '/arch/core/os/x86_64/core.db.tar.gz.sig',
  '/alpine/v3.22/main/x86_64/APKINDEX.tar.gz',
  '/snapshots/',
  '/f%C3%BCr/%E2%9C%93/%F0%9F%98%80.tar',
  '//./a///b/.',
  '/.package-cache/health',
  '/a/%2epackage-cache-self',
  '/a/%2e%2e/b',
];

const pieces = [
  ...words(
    '/ // . .. ... % %% %2 %2e %2E %2f %2F %5c %00 %0a %0d %20 %25 %252e %252f %2525 %u002e',
  ),
  ...words('%c0%ae %c0%af %e0%80%ae %f0%80%80%ae %c1%9c %ed%a0%80 %ed%b0%80 %f4%90%80%80 %fe %ff'),
  ...words(
    '%80 %c3 %c3%a4 %ef%bb%bf %EF%BC%8F %EF%BC%8E %E2%80%AE %E2%81%84 lost+found etc passwd',
  ),
  ...words('.package-cache %2epackage-cache .Package-Cache .package-cach%65 C: con CON.txt $(id)'),
  ...words('a Z 0 ~ + : ; @ & = * ? # | < > " \' ` { } ä \u{1f600} \uff0e \uff0f \u2024 \u2215'),
  ...['\\', '\0', ' ', '\t', '\n', '\x7f', '\ud800', '\udc00', '\ufeff'],
];

const long = [
  `/${'a'.repeat(255)}/${'%61'.repeat(255)}`,
  `/${'ä'.repeat(127)}/${'%C3%A4'.repeat(127)}x`,
  `/${'abc/'.repeat(255)}abcd`,
];

function makePath(random: Random): string {
  if (random.oneIn(100)) return mutated(random, { corpus: long, pieces });
  if (random.oneIn(2)) return mutated(random, { corpus, pieces });
  return random.several(0, 6, () => `/${random.string(pieces, 4)}`).join('');
}

function parse(path: string): ParsedPath | CacheError['code'] {
  try {
    return parsePath(path);
  } catch (error) {
    if (error instanceof CacheError) return error.code;
    throw error;
  }
}

test('a path is the key that a second reading of the rules makes of it, or refused as there', (t) => {
  holds(t, {
    make: makePath,
    check: (path) => {
      const parsed = parse(path);
      const expected = modelOf(path);
      if (typeof parsed === 'string' || typeof expected === 'string') {
        assert.equal(parsed, expected);
        return String(expected);
      }
      const { components, directory } = parsed;
      assert.deepEqual({ components, directory }, expected);
      return 'key';
    },
    kinds: { key: 0.2, 'bad-request': 0.2, 'not-found': 0.005 },
  });
});

test("no key leaves the root or names what is the cache's own, and its own key is itself", (t) => {
  holds(t, {
    make: makePath,
    check: (path) => {
      const parsed = parse(path);
      if (typeof parsed === 'string') return 'refused';
      const { components, spelled } = parsed;
      const key = components.join('/');
      assert.equal(posix.resolve('/root', key), key === '' ? '/root' : `/root/${key}`);
      assert.doesNotMatch(key, /\0|\\|(?:^|\/)(?:\.package-cache|\.{0,2}(?:\/|$)).|\/$/);
      assert.ok(Buffer.byteLength(key) <= 1024);
      for (const name of components) assert.ok(Buffer.byteLength(name) <= 255);
      // What the file system gives back is what was put in.
      assert.equal(Buffer.from(key).toString(), key);
      assert.deepEqual(
        parsePath(components.map(encodeURIComponent).join('/')).components,
        components,
      );
      assert.deepEqual(parsePath(spelled.join('/')).components, components);
      return 'key';
    },
    kinds: { key: 0.2, refused: 0.2 },
  });
});
