import test from 'ava';
import {
  evaluatePreconditions,
  ifRangeMatches,
  type Precondition,
  type Validators,
} from '../../daemon/http/conditional.ts';
import { formatHttpDate } from '../../daemon/http/date.ts';

const modified = Date.UTC(2024, 4, 5, 6, 7, 8) / 1000;
const before = formatHttpDate(modified - 1);
const same = formatHttpDate(modified);
const after = formatHttpDate(modified + 5);
const strong: Validators = { etag: '"abc"', lastModified: modified };
const weak: Validators = { etag: 'W/"abc"', lastModified: modified };

type Case = readonly [string, string | readonly string[], Precondition, Validators?];

const ifNoneMatch: readonly Case[] = [
  ['the tag is not modified', '"abc"', 'not-modified'],
  ['another tag proceeds', '"abd"', 'proceed'],
  ['opaque-tags are case-sensitive', '"ABC"', 'proceed'],
  ['a weak tag matches a strong one', 'W/"abc"', 'not-modified'],
  ['a strong tag matches a weak one', '"abc"', 'not-modified', weak],
  ['a weak tag matches itself', 'W/"abc"', 'not-modified', weak],
  ['* matches what exists', '*', 'not-modified'],
  ['* needs no validator', '*', 'not-modified', {}],
  ['without a tag of ours none matches', '"abc"', 'proceed', {}],
  ['the first of a list matches', '"abc", "1", "2"', 'not-modified'],
  ['the middle of a list matches', '"1" ,\t"abc"  , "2"', 'not-modified'],
  ['the last of a list matches', '"1","2","abc"', 'not-modified'],
  ['empty members do not count', ', ,"abc",', 'not-modified'],
  ['several lines are one list', ['"1"', '"abc"'], 'not-modified'],
  ['a tag may hold a comma', '"1", "a,b"', 'not-modified', { etag: '"a,b"' }],
  ['a tag between commas of others is none', '"x,"abc",y"', 'proceed'],
  ['a part of a tag is none', '"1, abc"', 'proceed', { etag: 'abc' }],
  ['a backslash escapes nothing', '"1\\", "abc"', 'not-modified'],
  ['an empty opaque-tag is one', '""', 'not-modified', { etag: '""' }],
  ['obs-text is allowed', '"\u00fc\u00ff"', 'not-modified', { etag: '"\u00fc\u00ff"' }],
  ['a space is not allowed', '"a b"', 'proceed', { etag: '"a b"' }],
  ['an empty field matches nothing', '', 'proceed'],
  ['* in a list is no entity-tag', '*, "1"', 'proceed'],
  ['a quoted * is a tag like others', '"*"', 'proceed'],
  ['an unquoted tag matches nothing', 'abc', 'proceed'],
  ['an unquoted tag does not match itself', 'abc', 'proceed', { etag: 'abc' }],
  ['w/ in lower case makes no tag', 'w/"abc"', 'proceed'],
  ['W without a slash makes no tag', 'W"abc"', 'proceed'],
  ['W/W/ makes no tag', 'W/W/"abc"', 'proceed'],
  ['text behind a tag makes it none', '"abc"x', 'proceed'],
  ['text before a tag makes it none', 'x"abc"', 'proceed'],
  ['text before a tag of ours makes it none', 'x"a"', 'proceed', { etag: 'x"a"' }],
  ['text behind a tag of ours makes it none', '"a"x', 'proceed', { etag: '"a"x' }],
  ['W/ within a tag is a part of it', '"aW/b"', 'proceed', { etag: '"ab"' }],
  ['W/ within a tag of ours is a part of it', '"ab"', 'proceed', { etag: '"aW/b"' }],
  ['garbage does not hide the tag behind it', 'x, "abc"', 'not-modified'],
  ['a tag that is never closed is none', '"abc', 'proceed'],
];

const ifModifiedSince: readonly Case[] = [
  ['an equal date is not modified', same, 'not-modified'],
  ['a later date is not modified', after, 'not-modified'],
  ['an earlier date proceeds', before, 'proceed'],
  ['the far future is a date', 'Fri, 31 Dec 9999 23:59:59 GMT', 'not-modified'],
  ['an RFC 850 date counts', 'Sunday, 05-May-24 06:07:08 GMT', 'not-modified'],
  ['an asctime date counts', 'Sun May  5 06:07:08 2024', 'not-modified'],
  ['an invalid date is ignored', 'tomorrow', 'proceed'],
  ['an empty date is ignored', '', 'proceed'],
  ['two lines are ignored', [same, same], 'proceed'],
  ['one date over two lines is ignored', ['Sun', '05 May 2024 06:07:08 GMT'], 'proceed'],
  ['a length behind the date is not allowed', `${same}; length=10`, 'proceed'],
  ['without a date of ours it is ignored', same, 'proceed', { etag: '"abc"' }],
  ['our date may be the epoch', same, 'not-modified', { lastModified: 0 }],
];

const ifMatch: readonly Case[] = [
  ['the tag proceeds', '"abc"', 'proceed'],
  ['another tag fails', '"1"', 'failed'],
  ['the last of a list matches', '"1",\t"2" , "abc"', 'proceed'],
  ['several lines are one list', ['"1"', '"abc"'], 'proceed'],
  ['* matches what exists', '*', 'proceed', {}],
  ['without a tag of ours it fails', '"abc"', 'failed', {}],
  ['a weak tag does not match a strong one', 'W/"abc"', 'failed'],
  ['a strong tag does not match a weak one', '"abc"', 'failed', weak],
  ['a weak tag does not match itself', 'W/"abc"', 'failed', weak],
  ['an unquoted tag does not match itself', 'abc', 'failed', { etag: 'abc' }],
  ['an empty field fails', '', 'failed'],
  ['* in a list is no entity-tag', '*, "1"', 'failed'],
  ['garbage does not hide the tag behind it', 'x, "abc"', 'proceed'],
  ['a tag may hold a comma', '"a,b"', 'proceed', { etag: '"a,b"' }],
];

const ifUnmodifiedSince: readonly Case[] = [
  ['an equal date proceeds', same, 'proceed'],
  ['a later date proceeds', after, 'proceed'],
  ['an earlier date fails', before, 'failed'],
  ['an asctime date counts', 'Sun May  5 06:07:07 2024', 'failed'],
  ['an invalid date is ignored', before.toLowerCase(), 'proceed'],
  ['two lines are ignored', [before, before], 'proceed'],
  ['without a date of ours it is ignored', before, 'proceed', { etag: '"abc"' }],
];

for (const [name, section, cases] of [
  ['If-Match', '13.1.1', ifMatch],
  ['If-None-Match', '13.1.2', ifNoneMatch],
  ['If-Modified-Since', '13.1.3', ifModifiedSince],
  ['If-Unmodified-Since', '13.1.4', ifUnmodifiedSince],
] as const) {
  for (const [promise, value, expected, validators] of cases) {
    test(`${name}: ${promise} (RFC 9110 ${section})`, (t) => {
      const fields = [value].flat().flatMap((line) => ['Host', 'cache', name, line]);
      t.is(evaluatePreconditions(fields, validators ?? strong), expected);
    });
  }
}

const ifRanges: readonly (readonly [string, string, boolean, Validators?])[] = [
  ['the strong tag matches', '"abc"', true],
  ['another tag does not match', '"abd"', false],
  ['a weak tag does not match a strong one', 'W/"abc"', false],
  ['a strong tag does not match a weak one', '"abc"', false, weak],
  ['a weak tag never matches, not even itself', 'W/"abc"', false, weak],
  ['an unquoted tag does not match', 'abc', false, { etag: 'abc' }],
  ['a list does not match', '"abc", "1"', false],
  ['an asterisk does not match', '*', false],
  ['no tag of ours does not match', '"abc"', false, { lastModified: modified }],
  ['the exact date matches', same, true],
  ['the exact date in another form matches', 'Sun May  5 06:07:08 2024', true],
  ['a later date does not match', after, false],
  ['an earlier date does not match', before, false],
  ['the exact date matches beside a weak tag', same, true, weak],
  ['the exact date matches without a tag', same, true, { lastModified: modified }],
  ['no date of ours does not match', same, false, { etag: '"abc"' }],
  ['an invalid date does not match', same.replace('GMT', 'UTC'), false],
  ['an invalid date does not match no date', 'wrong', false, {}],
  ['the epoch is a date', 'Thu, 01 Jan 1970 00:00:00 GMT', true, { lastModified: 0 }],
  ['an empty value does not match', '', false, { etag: '' }],
];

for (const [promise, value, expected, validators] of ifRanges) {
  test(`If-Range: ${promise} (RFC 9110 13.1.5)`, (t) => {
    t.is(ifRangeMatches(value, validators ?? strong), expected);
  });
}

test('a hostile list of tags costs time in proportion to its length (RFC 9110 17.5)', (t) => {
  t.timeout(5000);
  for (const unit of ['"', '",', ',', ' ', '"a', 'W/']) {
    t.is(evaluatePreconditions(['if-none-match', unit.repeat(100_000)], strong), 'proceed');
  }
});
