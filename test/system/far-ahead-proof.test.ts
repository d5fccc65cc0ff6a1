import test from 'ava';
import type { Field } from '../helpers/fields.ts';
import { type Answer, bodyOf } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { askBeyond, body, far, path, range, rangesOf, serve, size } from './far-ahead.ts';
import { openRepositories } from './repositories.ts';

const one = ['origin'] as const;
const two = ['origin', 'origin'] as const;

const scene = share(test, (t) =>
  openRepositories(t, {
    condition: one,
    cut: one,
    date: one,
    error: one,
    length: one,
    long: one,
    met: one,
    other: two,
    resets: one,
    tag: one,
    whole: one,
  } as const),
);

function at(name: keyof ReturnType<typeof scene>['of']) {
  const { daemon, of } = scene();
  return { daemon, repository: of[name] };
}

const unfit: readonly (readonly [Parameters<typeof at>[0], string, Answer])[] = [
  ['length', 'of another length', { body: bodyOf('iso', size + 1) }],
  ['date', 'of another date and tag', { lastModified: new Date(0) }],
  ['whole', 'of the whole', { ranges: false }],
  ['error', 'of an error', { status: 503 }],
];

for (const [name, what, answer] of unfit) {
  test(`a resume waits for the download where the only source has an answer ${what}`, async (t) => {
    const { daemon, repository } = at(name);
    const held = serve(repository.origins[0], answer);
    const { stream } = await askBeyond(t, { daemon, repository }, range(`${far}-`));
    const head = await stream.head;
    t.is(head.header('cache-status'), 'package-cache; fwd=uri-miss; stored; collapsed');
    held.open();
    const { ended, body: bytes } = await stream.rest();
    t.is(ended, 'complete');
    t.true(bytes.equals(body.subarray(far)));
  });
}

test('another source with the same file may send the resume', async (t) => {
  const { daemon, repository } = at('other');
  const [first, second] = repository.origins;
  const held = serve(first, { ranges: false });
  second.serve(path, { body, etag: '"of its own"' });
  const { stream } = await askBeyond(t, { daemon, repository }, range(`${far}-`));
  t.true((await stream.rest()).body.equals(body.subarray(far)));
  t.deepEqual(rangesOf(second), [`bytes=${far}-`]);
  held.open();
});

for (const [name, what, ranged] of [
  ['resets', 'is reset', { resetAfter: 5000 }],
  ['cut', 'is cut', { length: 'chunked', dropChunkEnd: true, cutAfter: 5000 }],
] as const) {
  test(`a resume whose source ${what} never ends cleanly`, async (t) => {
    const { daemon, repository } = at(name);
    const held = serve(repository.origins[0], ranged);
    const { stream } = await askBeyond(t, { daemon, repository }, range(`${far}-`));
    const answer = await stream.rest();
    t.is(answer.ended, 'reset');
    t.true(answer.body.equals(body.subarray(far, far + answer.body.length)));
    held.open();
  });
}

test('a source that sends more than it announced adds nothing to a resume', async (t) => {
  const { daemon, repository } = at('long');
  const fields: Field[] = [
    ['Content-Range', `bytes ${far}-${size - 1}/${size}`],
    ['Last-Modified', 'Wed, 01 Jan 2025 00:00:00 GMT'],
  ];
  const longer = Buffer.concat([body.subarray(far), Buffer.from('more')]);
  const ranged: Answer = { status: 206, body: longer, length: 'chunked', fields };
  const held = serve(repository.origins[0], ranged);
  const { stream } = await askBeyond(t, { daemon, repository }, range(`${far}-`));
  const answer = await stream.rest();
  t.is(answer.surplus, 0);
  t.true(answer.body.equals(body.subarray(far)));
  held.open();
});

test('a condition that fails gets the whole from the download (RFC 9110 13.1.5)', async (t) => {
  const { daemon, repository } = at('condition');
  const held = serve(repository.origins[0]);
  const { stream } = await askBeyond(t, { daemon, repository }, range(`${far}-`), [
    'If-Range',
    '"other"',
  ]);
  t.is((await stream.head).status, 200);
  held.open();
  t.true((await stream.rest()).body.equals(body));
  t.is(repository.origins[0].count(), 1);
});

test('a condition that holds lets the resume go ahead', async (t) => {
  const { daemon, repository } = at('met');
  const held = serve(repository.origins[0]);
  const condition: Field = ['If-Range', '"67748580-f4240"'];
  const { stream } = await askBeyond(t, { daemon, repository }, range(`${far}-`), condition);
  t.true((await stream.rest()).body.equals(body.subarray(far)));
  held.open();
});

test('an equal strong entity tag proves the file where there is no date', async (t) => {
  const { daemon, repository } = at('tag');
  const undated: Answer = { lastModified: false, etag: '"v1"' };
  const held = serve(repository.origins[0], undated, undated);
  const { stream } = await askBeyond(t, { daemon, repository }, range(`${far}-`));
  t.true((await stream.rest()).body.equals(body.subarray(far)));
  t.is(repository.origins[0].requests[1]?.headerOf('if-range'), '"v1"');
  held.open();
});
