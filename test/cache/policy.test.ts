import test from 'ava';
import fc from 'fast-check';
import { builtInRules, createPolicy, isHtmlName } from '../../daemon/cache/policy.ts';
import { CacheError } from '../../daemon/errors.ts';
import { distributions } from './policy-examples.ts';

const builtIn = createPolicy({ immutable: [], mutable: [] });

const allExamples = Object.values(distributions).flatMap(({ immutable, mutable }) => [
  ...immutable,
  ...mutable,
]);

for (const [distribution, { immutable, mutable }] of Object.entries(distributions)) {
  test(`${distribution}: what is never reused under its name is kept without a check`, (t) => {
    for (const path of immutable) {
      const classification = builtIn.classify(path);
      t.false(classification.mutable, `${path}: ${classification.rule}`);
    }
  });

  test(`${distribution}: what changes in place is revalidated`, (t) => {
    for (const path of mutable) {
      const classification = builtIn.classify(path);
      t.true(classification.mutable, `${path}: ${classification.rule}`);
    }
  });
}

test('every built-in glob decides at least one example', (t) => {
  const used = new Set(allExamples.map((path) => builtIn.classify(path).rule));
  t.deepEqual(
    builtInRules.map(([, , glob]) => glob).filter((glob) => !used.has(glob)),
    [],
  );
});

test('a built-in glob reaches names with odd characters and line feeds', (t) => {
  for (const name of [
    'a+b',
    'a~b',
    'a%2Fb',
    '(a)',
    '!a',
    '@a',
    '[a]',
    '{a,b}',
    '.a',
    'a\nb',
    'ü$^|',
  ]) {
    t.false(builtIn.classify(`distfiles/3c/${name}`).mutable, name);
    t.true(builtIn.classify(`dists/${name}/${name}.deb`).mutable, name);
    t.false(builtIn.classify(`x/${name}-1.0.tar.gz`).mutable, name);
  }
});

test('the admin decides first, and IMMUTABLE before MUTABLE', (t) => {
  const policy = createPolicy({
    immutable: ['dists/frozen/**', '*.both'],
    mutable: ['**/*.deb', '*.both'],
  });
  t.deepEqual(policy.classify('dists/frozen/InRelease'), {
    mutable: false,
    rule: 'dists/frozen/**',
    origin: 'IMMUTABLE',
  });
  t.deepEqual(policy.classify('pool/a_1_all.deb'), {
    mutable: true,
    rule: '**/*.deb',
    origin: 'MUTABLE',
  });
  t.is(policy.classify('x.both').origin, 'IMMUTABLE');
});

test('a classification names its rule for people', (t) => {
  t.deepEqual(builtIn.classify('dists/sid/InRelease'), {
    mutable: true,
    rule: '**/dists/**',
    origin: 'built-in',
  });
  t.deepEqual(builtIn.classify('x/a-1.0.tar.xz.asc'), {
    mutable: false,
    rule: 'suffix .tar.xz.asc',
    origin: 'default',
  });
  t.deepEqual(builtIn.classify('x/readme'), {
    mutable: true,
    rule: 'no rule: revalidated',
    origin: 'default',
  });
});

const adminGlobs: readonly (readonly [glob: string, matches: string, doesNot: string])[] = [
  ['*.txt', 'a.txt', 'b/a.txt'],
  ['**/*.txt', 'b/.a.txt', 'a.txt/b'],
  ['/own/*', 'own/a', 'a/own/b'],
  ['!a', '!a', 'b'],
  ['a(1).zip', 'a(1).zip', 'a1.zip'],
  ['+(a)', '+(a)', 'aa'],
  ['a|b', 'a|b', 'a'],
  ['a+b.c', 'a+b.c', 'aab.c'],
  ['[!a]x', 'bx', 'ax'],
  ['{a,b}/[0-9]', 'b/7', 'c/7'],
  ['a.c', 'a.c', 'abc'],
];

for (const [glob, matches, doesNot] of adminGlobs) {
  test(`the admin's glob ${glob} matches ${matches} and not ${doesNot}`, (t) => {
    const policy = createPolicy({ immutable: [], mutable: [glob] });
    t.is(policy.classify(matches).origin, 'MUTABLE');
    t.not(policy.classify(doesNot).origin, 'MUTABLE');
  });
}

for (const glob of ['', '/', 'a[', '{a,b', 'a]', '[z-a]']) {
  test(`"${glob}" is refused as a glob instead of matching nothing`, (t) => {
    const error = t.throws(() => createPolicy({ immutable: [glob], mutable: [] }), {
      instanceOf: CacheError,
    });
    t.is(error.code, 'config');
    t.true(error.message.startsWith(`Cannot parse glob "${glob}": `));
  });
}

test('a name is decided alike each time, for more names than are remembered', (t) => {
  const names = Array.from({ length: 10_050 }, (_, at) => `pool/${at}.${at % 2 ? 'deb' : 'gz'}`);
  for (const time of ['first', 'second']) {
    const wrong = names.filter((name) => builtIn.classify(name).mutable !== name.endsWith('.gz'));
    t.deepEqual(wrong, [], `the ${time} time`);
  }
});

test('no string makes it throw', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (path) => {
        const { rule, origin } = builtIn.classify(path);
        return rule !== '' && (origin === 'built-in' || origin === 'default');
      }),
    ),
  );
});

test("the admin's rules win for every path", (t) => {
  const keepAll = createPolicy({ immutable: ['**'], mutable: ['**'] });
  const checkAll = createPolicy({ immutable: [], mutable: ['**'] });
  const component = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 20 })
    .map((text) => text.replaceAll('/', '_'))
    .filter((text) => text !== '.' && text !== '..');
  const anyPath = fc.oneof(
    fc.constantFrom(...allExamples),
    fc.array(component, { minLength: 1, maxLength: 6 }).map((components) => components.join('/')),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(anyPath, (path) => {
        return !keepAll.classify(path).mutable && checkAll.classify(path).mutable;
      }),
    ),
  );
});

test('a path built to make the patterns search is decided within milliseconds', (t) => {
  const parts = ['a/', 'pool/', 'v3.0/', 'snapshots/gentoo-', '-latest', '.db', '.tar.asc', 'x-x-'];
  for (const part of parts) {
    const path = part.repeat(1024 / part.length);
    builtIn.classify(path);
    const began = performance.now();
    builtIn.classify(path);
    t.true(performance.now() - began < 250, part);
  }
});

test('only names that say so are HTML', (t) => {
  for (const path of ['index.html', 'a/b.htm', 'A.HTML', 'x.xhtml']) t.true(isHtmlName(path), path);
  for (const path of ['html', 'a.html.gz', 'a.html/b', 'x.shtml', ''])
    t.false(isHtmlName(path), path);
});
