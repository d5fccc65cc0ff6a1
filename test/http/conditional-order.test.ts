import test from 'ava';
import fc from 'fast-check';
import {
  evaluatePreconditions,
  type Precondition,
  type Validators,
} from '../../daemon/http/conditional.ts';
import { formatHttpDate } from '../../daemon/http/date.ts';

const modified = Date.UTC(2024, 4, 5, 6, 7, 8) / 1000;
const before = formatHttpDate(modified - 1);
const same = formatHttpDate(modified);
const after = formatHttpDate(modified + 5);
const current: Validators = { etag: '"abc"', lastModified: modified };

interface Fields {
  readonly match?: string;
  readonly unmodified?: string;
  readonly noneMatch?: string;
  readonly modified?: string;
}

const orders: readonly (readonly [string, Fields, Precondition])[] = [
  ['no field proceeds', {}, 'proceed'],
  [
    'a false If-None-Match hides an earlier date',
    { noneMatch: '"abc"', modified: before },
    'not-modified',
  ],
  ['a true If-None-Match hides an equal date', { noneMatch: '"1"', modified: same }, 'proceed'],
  ['a malformed If-None-Match hides an equal date', { noneMatch: 'x', modified: same }, 'proceed'],
  ['an empty If-None-Match hides an equal date', { noneMatch: '', modified: same }, 'proceed'],
  ['a true If-Match hides an earlier date', { match: '"abc"', unmodified: before }, 'proceed'],
  ['a false If-Match hides a later date', { match: '"1"', unmodified: after }, 'failed'],
  ['a malformed If-Match hides a later date', { match: 'x', unmodified: after }, 'failed'],
  ['a false If-Match ends it', { match: '"1"', noneMatch: '"abc"' }, 'failed'],
  ['a false If-Unmodified-Since ends it', { unmodified: before, noneMatch: '"abc"' }, 'failed'],
  ['a true If-Match goes on to tags', { match: '"abc"', noneMatch: '"abc"' }, 'not-modified'],
  ['a true If-Match goes on to dates', { match: '*', modified: same }, 'not-modified'],
  ['a true If-Unmodified-Since goes on', { unmodified: same, modified: same }, 'not-modified'],
];

for (const [promise, { match, unmodified, noneMatch, modified: since }, expected] of orders) {
  test(`in the order of evaluation, ${promise} (RFC 9110 13.2.2)`, (t) => {
    const fields = [
      ...(since === undefined ? [] : ['If-Modified-Since', since]),
      ...(noneMatch === undefined ? [] : ['If-None-Match', noneMatch]),
      ...(unmodified === undefined ? [] : ['If-Unmodified-Since', unmodified]),
      ...(match === undefined ? [] : ['If-Match', match]),
    ];
    t.is(evaluatePreconditions(fields, current), expected);
  });
}

test('If-Range is left to its own function (RFC 9110 13.2.2)', (t) => {
  t.is(evaluatePreconditions(['If-Range', '"1"'], current), 'proceed');
});

interface Tag {
  readonly weak: boolean;
  readonly opaque: string;
}

interface Asked {
  readonly match?: '*' | readonly Tag[];
  readonly noneMatch?: '*' | readonly Tag[];
  readonly unmodifiedSince?: number;
  readonly modifiedSince?: number;
}

interface Current {
  readonly tag?: Tag;
  readonly lastModified?: number;
}

const tags = fc.record({
  weak: fc.boolean(),
  opaque: fc.constantFrom('', 'a', 'b', 'a,b', '\\', '*'),
});
const lists = fc.oneof(fc.constant('*' as const), fc.array(tags, { maxLength: 4 }));
const dates = fc.integer({ min: modified - 2, max: modified + 2 });
const noKeys = { requiredKeys: [] };
const requests = fc.record(
  { match: lists, noneMatch: lists, unmodifiedSince: dates, modifiedSince: dates },
  noKeys,
);
const states = fc.record({ tag: tags, lastModified: dates }, noKeys);

test('preconditions are evaluated in the order of the RFC, step by step (RFC 9110 13.2.2)', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(requests, states, fc.boolean(), (asked, current, onLines) => {
        const fields = fieldsOf(asked, onLines);
        t.is(evaluatePreconditions(fields, validatorsOf(current)), bySteps(asked, current));
      }),
      { numRuns: 5000 },
    ),
  );
});

// The six steps of section 13.2.2 in its own order and words, for a GET of what exists.
function bySteps(asked: Asked, current: Current): Precondition {
  const { match, noneMatch, unmodifiedSince, modifiedSince } = asked;
  const { tag, lastModified } = current;
  let step = 1;
  if (step === 1 && match !== undefined) {
    const isTrue = match === '*' || match.some((one) => tag !== undefined && bothStrong(one, tag));
    if (!isTrue) return 'failed';
    step = 3;
  }
  if (step === 1 && unmodifiedSince !== undefined && lastModified !== undefined) {
    const isTrue = lastModified <= unmodifiedSince;
    if (!isTrue) return 'failed';
  }
  step = 3;
  if (noneMatch !== undefined) {
    const isTrue = noneMatch !== '*' && !noneMatch.some((one) => one.opaque === tag?.opaque);
    if (!isTrue) return 'not-modified';
    step = 5;
  }
  if (step === 3 && modifiedSince !== undefined && lastModified !== undefined) {
    const isTrue = lastModified > modifiedSince;
    if (!isTrue) return 'not-modified';
  }
  return 'proceed';
}

function bothStrong(one: Tag, other: Tag): boolean {
  return !one.weak && !other.weak && one.opaque === other.opaque;
}

function fieldsOf(asked: Asked, onLines: boolean): string[] {
  const date = (name: string, seconds: number | undefined): string[] =>
    seconds === undefined ? [] : [name, formatHttpDate(seconds)];
  const list = (name: string, value: Asked['match']): string[] => {
    if (value === undefined) return [];
    if (value === '*' || !onLines || value.length === 0) {
      return [name, value === '*' ? value : value.map(written).join(', ')];
    }
    return value.flatMap((tag) => [name, written(tag)]);
  };
  return [
    ...date('If-Modified-Since', asked.modifiedSince),
    ...list('If-None-Match', asked.noneMatch),
    ...date('If-Unmodified-Since', asked.unmodifiedSince),
    ...list('If-Match', asked.match),
  ];
}

function validatorsOf({ tag, lastModified }: Current): Validators {
  return {
    ...(tag === undefined ? {} : { etag: written(tag) }),
    ...(lastModified === undefined ? {} : { lastModified }),
  };
}

function written({ weak, opaque }: Tag): string {
  return `${weak ? 'W/' : ''}"${opaque}"`;
}
