import assert from 'node:assert/strict';
import test from 'ava';
import {
  evaluatePreconditions,
  ifRangeMatches,
  type Precondition,
  type Validators,
} from '../../daemon/http/conditional.ts';
import { formatHttpDate, parseHttpDate } from '../../daemon/http/date.ts';
import { holds } from './fuzz.ts';
import { mutated, words } from './mutate.ts';
import type { Random } from './random.ts';

const modified = 1_735_689_600;

const corpus = [
  '"67748580-493e1"',
  'W/"67748580-493e1"',
  '"a", "b,c", W/"d"',
  '*',
  '"", "\\", "x"',
  formatHttpDate(modified),
];

const pieces = [
  ...words(
    `" W/ w/ * , "67748580-493e1" W/"67748580-493e1" 67748580-493e1 "" a ' \x80 \xff \u0100`,
  ),
  ...[', ', ' ', '\t', '\\', '\0', '\x7f', formatHttpDate(modified)],
];

interface Case {
  readonly fields: readonly [name: string, value: string][];
  readonly validators: Validators;
}

const names = ['If-Match', 'If-None-Match', 'If-Modified-Since', 'if-unmodified-since', 'Accept'];

function makeCase(random: Random): Case {
  const tag = () =>
    random.pick(['"67748580-493e1"', 'W/"67748580-493e1"', '"other"', '"b,c"', '*']);
  const date = () => formatHttpDate(modified + random.between(-2, 2));
  const value = () => {
    if (random.oneIn(6)) return mutated(random, { corpus, pieces });
    return random.oneIn(2)
      ? date()
      : random.several(1, 3, tag).join(random.pick([',', ', ', ' ,']));
  };
  return {
    fields: random.several(0, 4, () => [random.pick(names), value()]),
    validators: {
      ...(random.oneIn(5)
        ? {}
        : { etag: random.oneIn(5) ? 'W/"67748580-493e1"' : '"67748580-493e1"' }),
      ...(random.oneIn(5) ? {} : { lastModified: modified }),
    },
  };
}

/** The steps of RFC 9110 section 13.2.2, one by one. */
function modelOf({ fields, validators: { etag, lastModified } }: Case): Precondition {
  const valuesOf = (name: string) =>
    fields.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
  const match = valuesOf('if-match');
  const noneMatch = valuesOf('if-none-match');
  const since = onlyDate(valuesOf('if-modified-since'));
  const unmodifiedSince = onlyDate(valuesOf('if-unmodified-since'));
  if (match.length > 0) {
    const members = membersOf(match.join(', '));
    const strong = etag !== undefined && !etag.startsWith('W/') && members.includes(etag);
    if (!strong && !isAny(members)) return 'failed';
  } else if (unmodifiedSince !== undefined && lastModified !== undefined) {
    if (lastModified > unmodifiedSince) return 'failed';
  }
  if (noneMatch.length > 0) {
    const members = membersOf(noneMatch.join(', '));
    const opaque = etag?.replace(/^W\//, '');
    const weak = members.some((member) => member === opaque || member === `W/${opaque}`);
    return (opaque !== undefined && weak) || isAny(members) ? 'not-modified' : 'proceed';
  }
  if (since === undefined || lastModified === undefined) return 'proceed';
  return lastModified <= since ? 'not-modified' : 'proceed';
}

function isAny(members: readonly string[]): boolean {
  return members.length === 1 && members[0] === '*';
}

/** A comma within quotes separates nothing, and a quote that stays open is none. */
function membersOf(value: string): readonly string[] {
  const members: string[] = [''];
  for (let at = 0; at < value.length; at += 1) {
    const close = value[at] === '"' ? value.indexOf('"', at + 1) : -1;
    const end = close < 0 ? at : close;
    if (value[at] === ',') members.push('');
    else members.push(`${members.pop()}${value.slice(at, end + 1)}`);
    at = end;
  }
  return members
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '');
}

/** Several lines are not one date; which text is a date, `date.test.ts` is about. */
function onlyDate(values: readonly string[]): number | undefined {
  const [value = '', ...more] = values;
  return more.length > 0 ? undefined : parseHttpDate(value);
}

test('preconditions are met in the order and with the comparisons of RFC 9110', (t) => {
  holds(t, {
    make: makeCase,
    check: (made) => {
      const outcome = evaluatePreconditions(made.fields.flat(), made.validators);
      assert.equal(outcome, modelOf(made));
      return outcome;
    },
    kinds: { proceed: 0.2, 'not-modified': 0.05, failed: 0.1 },
  });
});

test('an If-Range matches its own strong entity tag or its own date, and nothing like them', (t) => {
  holds(t, {
    make: (random) =>
      random.oneIn(2) ? mutated(random, { corpus, pieces }) : random.string(pieces, 4),
    check: (value) => {
      const validators = { etag: '"67748580-493e1"', lastModified: modified };
      const expected = value === validators.etag || value === formatHttpDate(modified);
      assert.equal(ifRangeMatches(value, validators), expected);
      // A weak tag of ours proves nothing, not even to itself.
      assert.equal(ifRangeMatches(value, { etag: `W/${validators.etag}` }), false);
      return expected ? 'matches' : 'differs';
    },
    kinds: { matches: 0.01, differs: 0.5 },
  });
});
