import test from 'ava';
import type { Field } from '../helpers/fields.ts';
import { share } from '../helpers/share.ts';
import { etag, file, modified, openStates, states } from './states.ts';

const scene = share(test, openStates);

const weak = `W/${etag}`;
const at = (offset: number) => new Date((modified + offset) * 1000).toUTCString();
const [before, same, after, later] = [at(-1), at(0), at(1), at(5)];

type Case = readonly [promise: string, status: 200 | 304 | 412, ...fields: Field[]];

const noneMatch: readonly Case[] = [
  ['If-None-Match with our entity tag (13.1.2)', 304, ['If-None-Match', etag]],
  ['If-None-Match compares weakly (13.1.2)', 304, ['If-None-Match', weak]],
  ['If-None-Match with another entity tag (13.1.2)', 200, ['If-None-Match', '"other"']],
  ['If-None-Match with a list (13.1.2)', 304, ['If-None-Match', `"a", W/"b" ,${etag}`]],
  ['If-None-Match with a list of others (13.1.2)', 200, ['If-None-Match', '"a", "b"']],
  ['If-None-Match with any (13.1.2)', 304, ['If-None-Match', '*']],
  ['a star among tags is none (13.1.2)', 200, ['If-None-Match', '"a", *']],
  [
    'several If-None-Match lines are one list (5.3)',
    304,
    ['If-None-Match', '"a"'],
    ['If-None-Match', etag],
  ],
  ['an unquoted tag is none (8.8.3)', 200, ['If-None-Match', etag.slice(1, -1)]],
  ['an empty If-None-Match matches nothing (13.1.2)', 200, ['If-None-Match', '']],
  ['a tag in other letters is another (8.8.3)', 200, ['If-None-Match', etag.toUpperCase()]],
];

const modifiedSince: readonly Case[] = [
  ['If-Modified-Since with our date (13.1.3)', 304, ['If-Modified-Since', same]],
  ['If-Modified-Since five seconds on, as Portage has it', 304, ['If-Modified-Since', later]],
  ['If-Modified-Since with an earlier date (13.1.3)', 200, ['If-Modified-Since', before]],
  [
    'If-Modified-Since of RFC 850 (5.6.7)',
    304,
    ['If-Modified-Since', 'Sunday, 05-May-24 06:07:08 GMT'],
  ],
  ['If-Modified-Since of asctime (5.6.7)', 304, ['If-Modified-Since', 'Sun May  5 06:07:08 2024']],
  ['If-Modified-Since that is no date (13.1.3)', 200, ['If-Modified-Since', 'tomorrow']],
  [
    'If-Modified-Since in another zone (5.6.7)',
    200,
    ['If-Modified-Since', same.replace('GMT', 'UTC')],
  ],
  ['an empty If-Modified-Since (13.1.3)', 200, ['If-Modified-Since', '']],
  [
    'two If-Modified-Since lines, which are no date (13.1.3)',
    200,
    ['If-Modified-Since', same],
    ['If-Modified-Since', same],
  ],
];

const match: readonly Case[] = [
  ['If-Match with our entity tag (13.1.1)', 200, ['If-Match', etag]],
  ['If-Match with another entity tag (13.1.1)', 412, ['If-Match', '"other"']],
  ['If-Match compares strongly (13.1.1)', 412, ['If-Match', weak]],
  ['If-Match with a list (13.1.1)', 200, ['If-Match', `"a", ${etag}`]],
  ['If-Match with any (13.1.1)', 200, ['If-Match', '*']],
  ['several If-Match lines are one list (5.3)', 200, ['If-Match', '"a"'], ['If-Match', etag]],
  ['an empty If-Match matches nothing (13.1.1)', 412, ['If-Match', '']],
];

const unmodifiedSince: readonly Case[] = [
  ['If-Unmodified-Since with our date (13.1.4)', 200, ['If-Unmodified-Since', same]],
  ['If-Unmodified-Since with a later date (13.1.4)', 200, ['If-Unmodified-Since', after]],
  ['If-Unmodified-Since with an earlier date (13.1.4)', 412, ['If-Unmodified-Since', before]],
  ['If-Unmodified-Since that is no date (13.1.4)', 200, ['If-Unmodified-Since', '2024-05-05']],
];

const precedence: readonly Case[] = [
  [
    'If-None-Match alone counts beside If-Modified-Since (13.1.3)',
    200,
    ['If-None-Match', '"other"'],
    ['If-Modified-Since', later],
  ],
  [
    'a matching If-None-Match beside an earlier date (13.1.3)',
    304,
    ['If-None-Match', etag],
    ['If-Modified-Since', before],
  ],
  [
    'If-Match alone counts beside If-Unmodified-Since (13.1.4)',
    200,
    ['If-Match', etag],
    ['If-Unmodified-Since', before],
  ],
  [
    'a failed If-Match before If-None-Match (13.2.2)',
    412,
    ['If-None-Match', etag],
    ['If-Match', '"other"'],
  ],
  [
    'a failed If-Unmodified-Since before If-None-Match (13.2.2)',
    412,
    ['If-None-Match', etag],
    ['If-Unmodified-Since', before],
  ],
  [
    'a good If-Match, then If-None-Match (13.2.2)',
    304,
    ['If-Match', etag],
    ['If-None-Match', etag],
  ],
  [
    'a good If-Match, then If-Modified-Since (13.2.2)',
    304,
    ['If-Match', '*'],
    ['If-Modified-Since', same],
  ],
  ['304 before a Range (13.2.2)', 304, ['Range', 'bytes=0-1'], ['If-None-Match', etag]],
  [
    '304 before a Range that cannot be had (13.2.2)',
    304,
    ['Range', 'bytes=1000-'],
    ['If-None-Match', etag],
  ],
  ['412 before a Range (13.2.2)', 412, ['Range', 'bytes=0-1'], ['If-Match', '"other"']],
];

const cases = [...noneMatch, ...modifiedSince, ...match, ...unmodifiedSince, ...precedence];

for (const state of states) {
  for (const method of ['GET', 'HEAD']) {
    for (const [promise, status, ...fields] of cases) {
      test(`${method} of a ${state} file: ${promise} gives ${status}`, async (t) => {
        const answer = await scene().ask(t, state, { method, fields });
        t.like(answer, { status, ended: 'complete', surplus: 0 });
        t.is(answer.header('etag'), etag);
        t.is(answer.header('last-modified'), same);
        if (status === 200 && method === 'GET') t.true(answer.body.equals(file));
        else t.is(answer.body.length, 0);
        if (status === 200) t.is(answer.header('content-length'), '1000');
        if (status === 412) t.is(answer.header('content-length'), '0');
      });
    }
  }
}
