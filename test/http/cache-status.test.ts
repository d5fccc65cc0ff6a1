import test from 'ava';
import fc from 'fast-check';
import { type CacheStatus, formatCacheStatus } from '../../daemon/http/cache-status.ts';

const statuses: readonly (readonly [string, CacheStatus, string])[] = [
  ['a hit (2.1)', { hit: true }, 'hit'],
  ['a miss (2.2)', { fwd: 'uri-miss' }, 'fwd=uri-miss'],
  ['a miss that is kept (2.5)', { fwd: 'uri-miss', stored: true }, 'fwd=uri-miss; stored'],
  [
    'a request that joined another (2.6)',
    { fwd: 'uri-miss', stored: true, collapsed: true },
    'fwd=uri-miss; stored; collapsed',
  ],
  ['a revalidation (2.3)', { fwd: 'stale', fwdStatus: 304 }, 'fwd=stale; fwd-status=304'],
  ['a pass (2.2)', { fwd: 'bypass' }, 'fwd=bypass'],
  [
    'a detail that is a token (2.8)',
    { fwd: 'uri-miss', detail: 'min-free' },
    'fwd=uri-miss; detail=min-free',
  ],
  [
    'everything at once, in one order (2)',
    {
      detail: 'x',
      collapsed: true,
      stored: true,
      fwdStatus: 200,
      fwd: 'partial',
    },
    'fwd=partial; fwd-status=200; stored; collapsed; detail=x',
  ],
];

for (const [what, status, parameters] of statuses) {
  test(`the field tells of ${what} (RFC 9211)`, (t) => {
    t.is(formatCacheStatus(status), `package-cache; ${parameters}`);
  });
}

const details: readonly (readonly [string, string, string])[] = [
  ['a token', "A*!#$%&'*+-.^_`|~:/9", "A*!#$%&'*+-.^_`|~:/9"],
  ['a token that begins with an asterisk', '*a', '*a'],
  ['a string for text with spaces', 'disk is full', '"disk is full"'],
  ['a string for what begins with a digit', '404', '"404"'],
  ['a string for what begins with a hyphen', '-a', '"-a"'],
  ['a string for nothing', '', '""'],
  ['a string for a list', 'a,b;c', '"a,b;c"'],
  ['escapes for quotes and backslashes', 'a "b" \\ c', '"a \\"b\\" \\\\ c"'],
  ['a question mark for what is not ASCII', 'Ωmega 😀', '"?mega ?"'],
  ['a question mark for a control character', 'a\r\nb\u007f', '"a??b?"'],
];

for (const [what, detail, written] of details) {
  test(`a detail is written as ${what} (RFC 9651 3.3.3, 3.3.4)`, (t) => {
    t.is(formatCacheStatus({ hit: true, detail }), `package-cache; hit; detail=${written}`);
  });
}

test('any detail is a token or a string that reads back (RFC 9651 4.2.5)', (t) => {
  const text = fc.string({ unit: fc.constantFrom('a', ' ', '"', '\\', ',', ';', '=', '/', '1') });
  t.notThrows(() =>
    fc.assert(
      fc.property(text, (detail) => {
        const value = formatCacheStatus({ hit: true, detail }).replace(/^.*?detail=/, '');
        const quoted = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/.exec(value)?.[1];
        const bare = /^[A-Za-z*][\w!#$%&'*+.^`|~:/-]*$/.exec(value)?.[0];
        return (quoted?.replaceAll(/\\(.)/g, '$1') ?? bare) === detail;
      }),
    ),
  );
});
