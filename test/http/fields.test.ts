import test from 'ava';
import fc from 'fast-check';
import {
  fieldLines,
  fieldValue,
  listMembers,
  parseCacheControl,
  trimWhitespace,
} from '../../daemon/http/fields.ts';

const fields = ['Host', 'cache', 'VIA', '1.1 a', 'host', 'via', 'via', '1.0 b', 'Accept', ''];

test('every line of a field is found, in order and whatever its case (RFC 9110 5.1)', (t) => {
  t.deepEqual(fieldLines(fields, 'via'), ['1.1 a', '1.0 b']);
  t.deepEqual(fieldLines(fields, 'host'), ['cache', 'via']);
  t.deepEqual(fieldLines(fields, 'range'), []);
});

test('a value that reads like a name is not a name', (t) => {
  t.deepEqual(fieldLines(['host', 'range', 'range', 'bytes=0-'], 'range'), ['bytes=0-']);
  t.deepEqual(fieldLines(['host', 'range'], 'range'), []);
});

test('several lines are one list joined by a comma (RFC 9110 5.3)', (t) => {
  t.is(fieldValue(fields, 'via'), '1.1 a, 1.0 b');
});

test('an empty field is present and an absent one is not (RFC 9110 5.5)', (t) => {
  t.is(fieldValue(fields, 'accept'), '');
  t.is(fieldValue(fields, 'range'), undefined);
});

const lists: readonly (readonly [string, string, readonly string[]])[] = [
  ['members are trimmed', ' a ,\tb\t, c', ['a', 'b', 'c']],
  ['white space within a member stays', '1.1 a (x) , 1.0 b', ['1.1 a (x)', '1.0 b']],
  ['empty members do not count', ', a,, ,b , ', ['a', 'b']],
  ['nothing has no members', '', []],
  ['commas alone have no members', ' , ,', []],
  ['a comma in a quoted-string separates nothing', 'a="1,2", b', ['a="1,2"', 'b']],
  ['a quoted quote does not end a quoted-string', 'a="1\\",2", b', ['a="1\\",2"', 'b']],
  ['a quoted backslash does not quote the quote', 'a="1\\\\", b', ['a="1\\\\"', 'b']],
  ['a comma in a comment separates nothing', '1.1 a (x, y), 1.1 b', ['1.1 a (x, y)', '1.1 b']],
  ['comments nest', '1.1 a (x (y), z), 1.1 b', ['1.1 a (x (y), z)', '1.1 b']],
  ['a quoted parenthesis does not end a comment', 'a (\\), x), b', ['a (\\), x)', 'b']],
  ['a quote in a comment is a character', 'a ("), b, c (")', ['a (")', 'b', 'c (")']],
  ['a parenthesis in a quoted-string is a character', 'a="(", b, c=")"', ['a="("', 'b', 'c=")"']],
  ['a quoted-string that is never closed hides nothing', 'a="1, b', ['a="1', 'b']],
  ['a comment that is never closed hides nothing', '1.1 a (x, 1.1 us', ['1.1 a (x', '1.1 us']],
  ['a backslash at the end closes nothing', 'a="1, b\\', ['a="1', 'b\\']],
];

for (const [promise, value, members] of lists) {
  test(`${promise} (RFC 9110 5.6.1)`, (t) => {
    t.deepEqual(listMembers(value), members);
  });
}

test('a list of well-formed members is split into just those (RFC 9110 5.6.1)', (t) => {
  const text = fc.string({ unit: fc.constantFrom('a', ',', ' ', '"', '(', ')', '\\') });
  const escaped = text.map((inner) => inner.replaceAll(/["()\\]/g, '\\$&'));
  const member = fc.oneof(
    fc.constantFrom('a', 'b=c', '1.1 host'),
    escaped.map((inner) => `a="${inner}"`),
    escaped.map((inner) => `1.1 a (${inner})`),
    escaped.map((inner) => `1.1 a (b (${inner}))`),
  );
  const comma = fc.constantFrom(',', ', ', ' ,\t', ', ,', ',,');
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(fc.tuple(member, comma)), (pairs) => {
        const members = listMembers(pairs.flat().join(''));
        return members.join('\n') === pairs.map(([name]) => name).join('\n');
      }),
    ),
  );
});

test('a hostile list costs time in proportion to its length (RFC 9110 17.5)', (t) => {
  t.timeout(5000);
  const many = 300_000;
  t.is(listMembers('('.repeat(many)).length, 1);
  t.is(listMembers('",'.repeat(many)).length, many / 2);
  t.is(listMembers('(,'.repeat(many)).length, many);
  t.is(listMembers(`a${' '.repeat(many)}b`).length, 1);
});

test('only space and tab are white space around a value (RFC 9110 5.6.3)', (t) => {
  t.is(trimWhitespace(' \ta b\t '), 'a b');
  t.is(trimWhitespace('\u00a0a\u000b'), '\u00a0a\u000b');
  t.is(trimWhitespace(' \t '), '');
});

interface Directives {
  readonly noCache?: boolean;
  readonly onlyIfCached?: boolean;
  readonly maxAge?: number;
}

const cacheControls: readonly (readonly [string, string | undefined, Directives])[] = [
  ['no field asks for nothing', undefined, {}],
  ['an empty field asks for nothing', '', {}],
  ['no-cache is understood', 'no-cache', { noCache: true }],
  ['only-if-cached is understood', 'only-if-cached', { onlyIfCached: true }],
  ['max-age is understood', 'max-age=3600', { maxAge: 3600 }],
  ['max-age=0 is an age', 'max-age=0', { maxAge: 0 }],
  ['names are case-insensitive', 'No-Cache, MAX-AGE=1', { noCache: true, maxAge: 1 }],
  ['a quoted argument is understood', 'max-age="60"', { maxAge: 60 }],
  ['a quoted-pair is understood', 'max-age="6\\0"', { maxAge: 60 }],
  ['leading zeros are digits', 'max-age=0060', { maxAge: 60 }],
  ['unknown directives are ignored', 'no-store, foo=bar, max-age=1', { maxAge: 1 }],
  [
    'a directive in a quoted-string is not one',
    'x="no-cache, max-age=1", max-age=2',
    { maxAge: 2 },
  ],
  ['a name that begins like a directive is not one', 'no-cached, max-aged=1', {}],
  ['of several max-age the first counts', 'max-age=1, max-age=1800', { maxAge: 1 }],
  ['a later max-age counts if the first is invalid', 'max-age=x, max-age=5', { maxAge: 5 }],
  ['an argument that no-cache does not have is ignored', 'no-cache="a"', { noCache: true }],
  ['nor does only-if-cached have one', 'only-if-cached=5', { onlyIfCached: true }],
  ['a malformed member does not hide the next', 'max-age="1, no-cache', { noCache: true }],
  ['an enormous max-age saturates', `max-age=${'9'.repeat(400)}`, { maxAge: 2 ** 53 - 1 }],
  ...[
    'max-age',
    'max-age=',
    'max-age=""',
    'max-age=-1',
    'max-age=+1',
    'max-age=1.5',
    'max-age=1e3',
    'max-age=0x10',
    'max-age=1s',
    "max-age='1'",
    'max-age =1',
    'max-age= 1',
    'max-age="1',
    'max-age=1 2',
    'a max-age=1',
    '=1',
  ].map((value) => [`<${value}> is invalid and ignored`, value, {}] as const),
];

for (const [promise, value, expected] of cacheControls) {
  test(`${promise} (RFC 9111 5.2)`, (t) => {
    t.deepEqual(parseCacheControl(value), { noCache: false, onlyIfCached: false, ...expected });
  });
}
