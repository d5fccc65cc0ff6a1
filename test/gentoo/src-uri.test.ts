import test from 'ava';
import fc from 'fast-check';
import {
  parseMasters,
  parseMirrors,
  parseSrcUri,
  readCacheEntry,
} from '../../daemon/gentoo/src-uri.ts';

function entriesOf(srcUri: string, restrict?: string) {
  const lines = [
    'DEFINED_PHASES=compile install',
    'DESCRIPTION=Not SRC_URI=https://no.example.org/x',
    'EAPI=8',
    'IUSE=doc test',
    ...(restrict === undefined ? [] : [`RESTRICT=${restrict}`]),
    'SLOT=0',
    `SRC_URI=${srcUri}`,
    '_eclasses_=toolchain-funcs\t0123456789abcdef0123456789abcdef',
    '_md5_=fedcba9876543210fedcba9876543210',
  ];
  return parseSrcUri(readCacheEntry(`${lines.join('\n')}\n`));
}

test('an entry is called what its URI ends in, or what stands behind its arrow', (t) => {
  const plain = 'https://carlowood.github.io/which/which-2.23.tar.gz';
  const renamed = 'https://github.com/x/y/archive/v1.2.tar.gz -> y-1.2.tar.gz';
  t.deepEqual(entriesOf(`${plain} ${renamed}`), [
    { uri: plain, name: 'which-2.23.tar.gz' },
    { uri: 'https://github.com/x/y/archive/v1.2.tar.gz', name: 'y-1.2.tar.gz' },
  ]);
});

test('entries below conditions count whatever the flags are', (t) => {
  const text =
    'https://a.example.org/a.tar.xz doc? ( https://a.example.org/a-doc.tar.xz !test? ( mirror://gnu/a/b.tar.xz -> c.tar.xz ) ) cpu_flags_x86_sse4_2? ( https://a.example.org/sse ) l10n_pt-BR? ( https://a.example.org/pt )';
  t.deepEqual(
    entriesOf(text).map(({ name }) => name),
    ['a.tar.xz', 'a-doc.tar.xz', 'c.tar.xz', 'sse', 'pt'],
  );
});

test('the name of a Go module keeps its %2F, and that of a query its question mark', (t) => {
  const mod = 'github.com%2F!burnt!sushi%2Ftoml%2F@v%2Fv0.3.1.mod';
  const uri = 'https://proxy.golang.org/github.com/!burnt!sushi/toml/@v/v0.3.1.mod';
  t.deepEqual(entriesOf(`${uri} -> ${mod}`), [{ uri, name: mod }]);
  t.like(entriesOf('https://a.example.org/get.php?file=x.tgz'), [{ name: 'get.php?file=x.tgz' }]);
});

for (const restrict of [
  'fetch',
  'bindist fetch',
  'strip bindist? ( fetch )',
  '!x? ( mirror fetch )',
]) {
  test(`RESTRICT="${restrict}" leaves only what is exempted from it`, (t) => {
    const text =
      'https://a.example.org/a fetch+https://a.example.org/b mirror+https://a.example.org/c -> d plain.zip';
    t.deepEqual(entriesOf(text, restrict), [
      { uri: 'https://a.example.org/b', name: 'b' },
      { uri: 'https://a.example.org/c', name: 'd' },
    ]);
  });
}

test('other restrictions keep nobody from fetching, and a prefix is no part of a URI', (t) => {
  const text = 'fetch+https://a.example.org/a mirror+mirror://gnu/b/b.tgz';
  t.deepEqual(entriesOf(text, 'mirror test prefetch'), [
    { uri: 'https://a.example.org/a', name: 'a' },
    { uri: 'mirror://gnu/b/b.tgz', name: 'b.tgz' },
  ]);
});

test('what is no URI, names nothing, or is not there has no entry', (t) => {
  t.deepEqual(entriesOf('by-hand.zip https://a.example.org/directory/ -> '), []);
  t.deepEqual(entriesOf(''), []);
  t.deepEqual(parseSrcUri(readCacheEntry('')), []);
});

test('mirrors are listed by name, among comments', (t) => {
  const text =
    '# comment\ngnu\t\thttps://ftp.gnu.org/gnu https://ftpmirror.gnu.org/\n\nx https://x.example.org # end\n';
  const mirrors = parseMirrors(text);
  t.deepEqual(mirrors.get('gnu'), ['https://ftp.gnu.org/gnu', 'https://ftpmirror.gnu.org/']);
  t.deepEqual(mirrors.get('x'), ['https://x.example.org']);
});

for (const [text, masters] of [
  ['masters = gentoo\nthin-manifests = true\n', ['gentoo']],
  ['# masters = none\nmasters=a  b # and no more\n', ['a', 'b']],
  ['masters =\nauto-sync = no\n', []],
  ['thin-manifests = true\n', ['gentoo']],
  ['', ['gentoo']],
] as const) {
  test(`${JSON.stringify(text)} builds upon ${JSON.stringify(masters)}`, (t) => {
    t.deepEqual(parseMasters(text), masters);
  });
}

test('no text makes a parser throw', (t) => {
  const pieces = fc.constantFrom('a', '->', ' ', '?', '(', ')', '!', '://', '/', 'fetch+', 'fetch');
  const property = fc.property(fc.array(pieces), fc.array(pieces), (one, other) => {
    entriesOf(one.join(''), other.join(''));
    parseMirrors(one.join(''));
    parseMasters(`masters=${one.join('')}`);
  });
  t.notThrows(() => fc.assert(property));
});
