import test from 'ava';
import type { Meta } from '../../daemon/cache/meta.ts';
import { parseSourceUrl } from '../../daemon/config/source-url.ts';
import { isStepBack, validatorsFor } from '../../daemon/origin/revalidation.ts';

const own = parseSourceUrl('http://a.example/');
const other = parseSourceUrl('http://b.example/');
const modified = Date.UTC(2024, 4, 5, 6, 7, 8) / 1000;
const date = 'Sun, 05 May 2024 06:07:08 GMT';
const day = 86_400_000;

function metaOf(known: Partial<Meta>): Meta {
  return { source: own.url, checked: Date.now(), fetched: Date.now(), ...known };
}

test('a source is asked with exactly the validators it gave (RFC 9110 13.1.2, 13.1.3)', (t) => {
  const fields = validatorsFor(metaOf({ etag: 'W/"a"', lastModified: modified }));
  t.deepEqual(fields?.(own), { 'if-none-match': 'W/"a"', 'if-modified-since': date });
});

test('another source is asked with the date alone: entity tags are each mirror’s own', (t) => {
  const fields = validatorsFor(metaOf({ etag: '"a"', lastModified: modified }));
  t.deepEqual(fields?.(other), { 'if-modified-since': date });
});

test('what is not known is not sent', (t) => {
  t.deepEqual(validatorsFor(metaOf({ etag: '"a"' }))?.(own), { 'if-none-match': '"a"' });
  t.deepEqual(validatorsFor(metaOf({ etag: '"a"' }))?.(other), {});
  t.deepEqual(validatorsFor(metaOf({ lastModified: 0 }))?.(own), {
    'if-modified-since': 'Thu, 01 Jan 1970 00:00:00 GMT',
  });
  t.is(validatorsFor(metaOf({})), undefined);
});

type Case = readonly [
  what: string,
  previous: Partial<Meta>,
  lastModified: number | undefined,
  back: boolean,
];

const kept = { lastModified: modified };
const cases: readonly Case[] = [
  ['an older copy', kept, modified - 1, true],
  ['a copy of the same time', kept, modified, false],
  ['a newer copy', kept, modified + 1, false],
  ['a copy without a date', kept, undefined, false],
  ['any copy, where ours has no date', {}, modified - 1, false],
  [
    'an older copy, a minute within a day',
    { ...kept, fetched: Date.now() - day + 60_000 },
    1,
    true,
  ],
  ['an older copy, after a day', { ...kept, fetched: Date.now() - day - 1 }, 1, false],
];

for (const [what, previous, lastModified, back] of cases) {
  test(`${what} from another mirror is ${back ? 'a step back' : 'taken'}`, (t) => {
    const head = { framed: true, ...(lastModified === undefined ? {} : { lastModified }) };
    t.is(isStepBack(metaOf(previous), { head, source: other }), back);
  });
}

test('a source may put its own older copy back', (t) => {
  const head = { framed: true, lastModified: modified - 1 };
  t.false(isStepBack(metaOf(kept), { head, source: own }));
});

test('without a copy of ours there is nothing to step back from', (t) => {
  t.false(isStepBack(undefined, { head: { framed: true, lastModified: 1 }, source: other }));
});
