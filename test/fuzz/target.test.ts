import assert from 'node:assert/strict';
import test from 'ava';
import { parsePath } from '../../daemon/cache/key.ts';
import { createPolicy } from '../../daemon/cache/policy.ts';
import { parseSources } from '../../daemon/config/sources.ts';
import { CacheError } from '../../daemon/errors.ts';
import type { Route } from '../../daemon/origin/route.ts';
import { findRoute } from '../../daemon/serve/target.ts';
import { holds } from './fuzz.ts';
import { mutated, words } from './mutate.ts';
import type { Random } from './random.ts';

const repositories = [
  {
    name: '',
    sources: parseSources('http://mirror.example/gentoo/ https://u:p@other.example:8443/a%20b/'),
  },
  { name: 'debian', sources: parseSources('http://deb.example:8080/debian/') },
  { name: 'deep', sources: parseSources('http://mirror.example/gentoo/deep/') },
];

const policy = createPolicy({ immutable: [], mutable: [] });

/** Hosts and ports that a request may name, ports 80 and 443 counting as one. */
const sourceHosts = ['mirror.example:80', 'other.example:8443', 'deb.example:8080'];
const ownHosts = ['cache:4000', '127.0.0.1:4000', '::1:4000'];

const corpus = [
  '/distfiles/3c/gcc-15.2.0.tar.xz',
  '/debian/dists/bookworm/InRelease',
  '/debian/?C=M;O=D',
  'http://mirror.example/gentoo/distfiles/a',
  'http://mirror.example/gentoo/deep/b',
  'http://MIRROR.example.:80/gentoo//./c',
  'https://other.example:8443/a b/d'.replace(' ', '%20'),
  'http://deb.example:8080/debian/pool/e?x',
  'http://cache:4000/debian/f',
  'http://[::1]:4000/g',
  'http://mirror.example/elsewhere',
  'http://evil.example/gentoo/',
  '*',
];

const pieces = [
  ...words(
    '/ // ? # @ : :80 :443 :4000 :8080 . .. %2e%2e %2f %5c %00 %25 %zz http:// https:// ftp://',
  ),
  ...words(
    'HTTP:// mirror.example MIRROR.EXAMPLE other.example deb.example cache evil.example [::1]',
  ),
  ...words(
    'u:p@ @mirror.example mirror.example@ gentoo debian deep a%20b a b .package-cache * ; & =',
  ),
  ...['\\', '%C3%A4'],
];

const hosts = words(
  'cache cache:4000 mirror.example MIRROR.example. deb.example:8080 evil.example a@b',
);

interface Asked {
  readonly target: string;
  readonly host: string | undefined;
}

function makeAsked(random: Random): Asked {
  const target = random.oneIn(3)
    ? `${random.pick(['/', 'http://', 'http://mirror.example/'])}${random.string(pieces, 6)}`
    : mutated(random, { corpus, pieces });
  // A request line holds nothing else.
  return {
    target: target.replace(/[^!-~]/g, ''),
    host: random.oneIn(8) ? undefined : random.pick(hosts),
  };
}

function route(asked: Asked): Route | CacheError {
  try {
    return findRoute(asked, {
      repositories,
      policy,
      isOwn: (host, port) => ownHosts.includes(`${host}:${port}`),
    });
  } catch (error) {
    if (error instanceof CacheError) return error;
    throw error;
  }
}

/** The host and port of a URL, by WHATWG's reading, which browsers and servers share. */
function hostOf({ target }: Asked): string | undefined {
  const parsed = /^\//.test(target)
    ? null
    : URL.parse(target.replace(/^[a-z][a-z\d+.-]*:/i, 'http:'));
  const port = /^https:/i.test(target) ? '443' : '80';
  const name = parsed?.hostname.replace(/^\[|\]$|\.$/g, '');
  const named = parsed && `${name}:${parsed.port === '' ? port : parsed.port}`;
  return named?.replace(/:443$/, ':80');
}

test('no target leads out of a configured source, and no URL to a host that is none', (t) => {
  holds(t, {
    make: makeAsked,
    check: (asked) => {
      const found = route(asked);
      if (found instanceof CacheError) {
        assert.ok(['bad-request', 'forbidden', 'not-found'].includes(found.code));
        return found.code;
      }
      const { repository, path, key, upstreamPath } = found;
      assert.ok(repositories.some((known) => known === repository));
      assert.equal(key, repository.name === '' ? path : `${repository.name}/${path}`);
      const [spelled = '', ...query] = upstreamPath.split('?');
      assert.equal(parsePath(spelled).components.join('/'), path);
      assert.ok(!spelled.startsWith('/') && !/[#\\\0]/.test(spelled));
      // What a source is asked stays below its base by any reading of the URL.
      const base = `http://host${repository.sources[0]?.basePath}`;
      assert.ok(URL.parse(base + upstreamPath)?.pathname.startsWith(new URL(base).pathname));
      const isPassed = query.length > 0 || path === '' || spelled.endsWith('/');
      assert.ok(found.pass || !isPassed);
      assertOurs(asked);
      return asked.target.startsWith('/') ? 'path' : 'URL';
    },
    kinds: { path: 0.1, URL: 0.02, 'bad-request': 0.1, forbidden: 0.05, 'not-found': 0.001 },
  });
});

function assertOurs(asked: Asked): void {
  if (asked.target.startsWith('/')) return;
  const host = hostOf(asked) ?? '';
  assert.ok([...sourceHosts, ...ownHosts].includes(host), `${host} is none of ours`);
}

test('two spellings of one path are one key, and the same source is asked in its own', (t) => {
  holds(t, {
    make: makeAsked,
    check: (asked) => {
      const found = route(asked);
      if (found instanceof CacheError) return 'refused';
      const again = route({
        target: `/${encodeURI(found.key).replace(/[?#]/g, encodeURIComponent)}`,
        host: 'cache',
      });
      if (found.pass) return 'passed';
      assert.ok(!(again instanceof CacheError));
      assert.equal(again.key, found.key);
      // The name of a repository below the root is that repository's.
      assert.equal(again.repository, found.repository);
      return 'key';
    },
    kinds: { refused: 0.1, passed: 0.05, key: 0.1 },
  });
});
