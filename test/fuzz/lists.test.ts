import assert from 'node:assert/strict';
import test from 'ava';
import {
  listMembers,
  parseCacheControl,
  type RequestCacheControl,
} from '../../daemon/http/fields.ts';
import { holds } from './fuzz.ts';
import { mutated, words } from './mutate.ts';
import type { Random } from './random.ts';

const corpus = [
  'no-cache',
  'max-age=0',
  'only-if-cached, max-stale=60',
  'max-age="60", no-store',
  'private="x, max-age=1", no-cache',
  '1.1 vegur, 1.0 fred (a, b (c)), HTTP/1.1 p.example.net',
  'package-cache-0123456789abcdef, other; host="a"',
  '"a\\"b", (c\\)d), e',
];

const pieces = [
  ...words(
    'no-cache only-if-cached max-age MAX-AGE no-store = , ,, " "" ( ) (( )) ; a 0 60 -1 1.5',
  ),
  ...words('/ : * \xe4 \u0661 99999999999999999999'),
  ...[', ', ' ', '\t', '\\', '\\"', '\\)', '\r', '\n', '\0', '\x7f', '\u00a0'],
];

const separators = [',', ', ', ' ,', ',,', ' ,\t, '];

interface Directive {
  readonly text: string;
  readonly means?: Partial<RequestCacheControl>;
}

function makeDirective(random: Random): Directive {
  const cased = (name: string) => (random.oneIn(3) ? name.toUpperCase() : name);
  const seconds = random.oneIn(10) ? '9'.repeat(30) : String(random.below(100_000));
  const maxAge = { maxAge: Math.min(Number(seconds), Number.MAX_SAFE_INTEGER) };
  return random.pick<Directive>([
    { text: cased('no-cache'), means: { noCache: true } },
    { text: cased('only-if-cached'), means: { onlyIfCached: true } },
    { text: `${cased('max-age')}=${seconds}`, means: maxAge },
    { text: `${cased('max-age')}="${seconds}"`, means: maxAge },
    { text: `max-age="${seconds.replace(/./g, random.oneIn(2) ? '\\$&' : '$&')}"`, means: maxAge },
    // RFC 9111 section 5.2.2.4 gives it an argument in responses, and any directive may have one.
    { text: 'no-cache="a, max-age=7"', means: { noCache: true } },
    ...[
      'max-age',
      'max-age=',
      'max-age=-1',
      'max-age=1.5',
      'max-age=x',
      'max-age= 1',
      'max-age =1',
    ].map((text) => ({ text })),
    ...[
      'no-cache-',
      'xno-cache',
      'x="no-cache, only-if-cached"',
      'x="max-age=3"',
      'min-fresh=1',
    ].map((text) => ({ text })),
  ]);
}

test('a Cache-Control means what its directives mean one by one, and what is none means nothing', (t) => {
  holds(t, {
    make: (random) => {
      const directives = random.several(1, 5, () => makeDirective(random));
      return {
        directives,
        value: directives.map(({ text }) => text).join(random.pick(separators)),
      };
    },
    check: ({ directives, value }) => {
      const expected: RequestCacheControl = { noCache: false, onlyIfCached: false };
      for (const { means = {} } of directives) {
        // Of several max-age the first counts.
        const { maxAge = means.maxAge } = expected;
        Object.assign(expected, means, maxAge === undefined ? {} : { maxAge });
      }
      assert.deepEqual(parseCacheControl(value), expected);
      return directives.some(({ means }) => means !== undefined) ? 'meaningful' : 'meaningless';
    },
    kinds: { meaningful: 0.5, meaningless: 0.05 },
  });
});

test('whatever stands in a Cache-Control, it says nothing that is not written there', (t) => {
  holds(t, {
    make: (random) =>
      random.oneIn(2) ? mutated(random, { corpus, pieces }) : random.string(pieces, 10),
    check: (value) => {
      const { noCache, onlyIfCached, maxAge } = parseCacheControl(value);
      const names = value.toLowerCase().split(/[^a-z-]/);
      if (noCache) assert.ok(names.includes('no-cache'));
      if (onlyIfCached) assert.ok(names.includes('only-if-cached'));
      if (maxAge !== undefined) {
        assert.ok(names.includes('max-age') && maxAge >= 0 && Number.isSafeInteger(maxAge));
      }
      return noCache || onlyIfCached || maxAge !== undefined ? 'meaningful' : 'meaningless';
    },
    kinds: { meaningful: 0.05, meaningless: 0.3 },
  });
});

/** Tokens, quoted-strings and comments, well-formed, with commas where those separate nothing. */
function makeMember(random: Random): string {
  const text = () => random.string(['a', '1', ',', ' ', '\\"', '\\\\', '\\(', ';', '='], 6);
  const comment = (): string =>
    `(${text()}${random.oneIn(3) ? comment() : ''}${random.oneIn(3) ? '"' : ''})`;
  return random.pick([
    () => random.pick(['a', 'b-1', 'package-cache-0123456789abcdef', '1.1 cache', 'x=y']),
    () => `n="${text()}${random.oneIn(3) ? '(' : ''}"`,
    () => `1.1 host ${comment()}`,
  ])();
}

test('a list has the members that it was made of, and a comma within one separates nothing', (t) => {
  holds(t, {
    make: (random) => ({
      members: random.several(0, 6, () => makeMember(random)),
      separator: random.pick(separators),
    }),
    check: ({ members, separator }) => {
      const trimmed = members.map((member) => member.trim());
      assert.deepEqual(listMembers(members.join(separator)), trimmed);
      return members.some((member) => member.includes(',')) ? 'with commas within' : 'plain';
    },
    kinds: { 'with commas within': 0.2, plain: 0.1 },
  });
});

test('of any list at all, nothing but commas and white space is lost, in its order', (t) => {
  holds(t, {
    make: (random) =>
      random.oneIn(2) ? mutated(random, { corpus, pieces }) : random.string(pieces, 10),
    check: (value) => {
      const members = listMembers(value);
      const bare = (text: string) => text.replace(/[, \t]/g, '');
      assert.equal(bare(members.join('')), bare(value));
      for (const member of members) {
        assert.ok(member !== '' && !/^[ \t]|[ \t]$/.test(member));
        assert.ok(value.includes(member));
      }
      // A list in which nothing is quoted is cut at every comma.
      if (/["(]/.test(value)) return 'quoted';
      assert.ok(members.every((member) => !member.includes(',')));
      return 'plain';
    },
    kinds: { quoted: 0.2, plain: 0.2 },
  });
});
