import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { findUris } from '../../daemon/gentoo/find-uris.ts';
import type { PackagePlace } from '../../daemon/gentoo/manifests.ts';
import { tempDir, writeTree } from '../helpers/files.ts';

const which = {
  'md5-cache/sys-apps/which-2.23': 'SRC_URI=mirror://gnu/which/which-2.23.tar.gz\n',
};

/** Repositories as trees of files, and who fetches what from them. */
async function scene(
  t: ExecutionContext,
  repositories: Readonly<Record<string, Readonly<Record<string, string>>>>,
) {
  const root = await tempDir(t);
  for (const [name, files] of Object.entries(repositories)) {
    const own = Object.entries({ 'profiles/repo_name': `${name}\n`, ...files });
    await writeTree(
      join(root, name),
      Object.fromEntries(own.map(([path, text]) => [path.replace(/^md5/, 'metadata/md5'), text])),
    );
  }
  const directories = Object.keys(repositories).map((name) => join(root, name));
  return (name: string, ...places: readonly string[]) => {
    const packagesOf = (): PackagePlace[] =>
      places.map((place) => {
        const [repository = '', category = '', own = ''] = place.split('/');
        return { repository: join(root, repository), category, name: own };
      });
    return findUris(name, { packagesOf, repositories: () => directories });
  };
}

test('mirror:// stands for all mirrors of that name', async (t) => {
  const find = await scene(t, {
    gentoo: {
      ...which,
      'profiles/thirdpartymirrors':
        'gnu https://ftp.gnu.org/gnu/ ftp://ftp.example.org/gnu http://m.example.org\n',
    },
  });
  t.deepEqual(await find('which-2.23.tar.gz', 'gentoo/sys-apps/which'), [
    'https://ftp.gnu.org/gnu/which/which-2.23.tar.gz',
    'http://m.example.org/which/which-2.23.tar.gz',
  ]);
});

test('mirrors of the masters are known as well, behind those of the repository', async (t) => {
  const gnu = (host: string) => ({ 'profiles/thirdpartymirrors': `gnu https://${host}/\n` });
  const find = await scene(t, {
    gentoo: gnu('gentoo.example.org'),
    other: gnu('other.example.org'),
    plain: { ...which },
    mine: {
      ...which,
      ...gnu('mine.example.org'),
      'metadata/layout.conf': 'masters = other gentoo\n',
    },
    alone: { ...which, 'metadata/layout.conf': 'masters =\n' },
  });
  const from = async (repository: string) =>
    (await find('which-2.23.tar.gz', `${repository}/sys-apps/which`)).map(
      (uri) => URL.parse(uri)?.host,
    );
  t.deepEqual(await from('plain'), ['gentoo.example.org']);
  t.deepEqual(await from('mine'), ['mine.example.org', 'gentoo.example.org', 'other.example.org']);
  t.deepEqual(await from('alone'), []);
});

test('only the versions of the package itself are looked at', async (t) => {
  const uri = (host: string) => `SRC_URI=https://${host}/x-1.tgz\n`;
  const find = await scene(t, {
    gentoo: {
      'md5-cache/a/x-1': uri('one.example.org'),
      'md5-cache/a/x-1.1_rc2-r3': uri('two.example.org'),
      'md5-cache/a/x-9999': uri('two.example.org'),
      'md5-cache/a/x-tools-1': uri('tools.example.org'),
      'md5-cache/a/xx-1': uri('xx.example.org'),
      'md5-cache/b/x-1': uri('b.example.org'),
    },
  });
  t.deepEqual((await find('x-1.tgz', 'gentoo/a/x')).toSorted(), [
    'https://one.example.org/x-1.tgz',
    'https://two.example.org/x-1.tgz',
  ]);
});

test('other files, other schemes and URLs with a password are left out, and nothing comes twice', async (t) => {
  const uris = [
    'https://a.example.org/x.tgz',
    'https://a.example.org/other.tgz',
    'ftp://a.example.org/x.tgz',
    'file:///etc/x.tgz',
    'https://user:password@a.example.org/x.tgz',
    'https://a.example.org:99999/x.tgz',
    'https://a.example.org/x.tgz#/x.tgz',
    'https://a.example.org/a%2Bb/ü[1]/x.tgz',
    'git+https://a.example.org/x.tgz',
  ];
  const find = await scene(t, {
    gentoo: { 'md5-cache/a/x-1': `SRC_URI=${uris.join(' ')}\n` },
    guru: {
      'md5-cache/a/y-2': 'SRC_URI=https://a.example.org/x.tgz https://b.example.org/x.tgz\n',
    },
  });
  t.deepEqual(await find('x.tgz', 'gentoo/a/x', 'guru/a/y'), [
    'https://a.example.org/x.tgz',
    'https://a.example.org/a%2Bb/%C3%BC[1]/x.tgz',
    'https://b.example.org/x.tgz',
  ]);
});

test('a file that nobody may fetch is not led to', async (t) => {
  const find = await scene(t, {
    gentoo: { 'md5-cache/a/x-1': 'RESTRICT=fetch\nSRC_URI=https://a.example.org/x.tgz\n' },
  });
  t.deepEqual(await find('x.tgz', 'gentoo/a/x'), []);
});

test('a repository without a cache of metadata, and a name of no package, lead nowhere', async (t) => {
  const find = await scene(t, { gentoo: {}, file: { 'metadata/md5-cache': 'a file' } });
  t.deepEqual(await find('x.tgz', 'gentoo/a/x', 'file/a/x', 'gone/a/x'), []);
  t.deepEqual(await find('x.tgz'), []);
});

test('there are no more than twelve', async (t) => {
  const mirrors = Array.from({ length: 30 }, (_, index) => `https://m${index}.example.org`);
  const find = await scene(t, {
    gentoo: { ...which, 'profiles/thirdpartymirrors': `gnu ${mirrors.join(' ')}\n` },
  });
  const uris = await find('which-2.23.tar.gz', 'gentoo/sys-apps/which');
  t.is(uris.length, 12);
  t.is(uris[0], 'https://m0.example.org/which/which-2.23.tar.gz');
});
