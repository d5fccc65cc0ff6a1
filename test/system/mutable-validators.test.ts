import test from 'ava';
import { bodyOf } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { checked, openRepositories } from './repositories.ts';

const index = 'dists/stable/InRelease';
const [old, fresh] = [bodyOf('old', 3000), bodyOf('new', 4000)];
const newer = 'Thu, 02 Jan 2025 00:00:00 GMT';
const one = ['origin'] as const;
const stale = 'package-cache; fwd=stale';

// Every copy is too old at once, so that each request checks it.
const scene = share(test, (t) =>
  openRepositories(
    t,
    {
      type: one,
      etag: one,
      date: one,
      nothing: one,
      weak: one,
      empty: one,
      unframed: one,
      same: one,
    } as const,
    { MUTABLE_TTL: '0', NEGATIVE_TTL: '0' },
  ),
);

test('the origin’s Content-Type is kept', async (t) => {
  const { origins, get } = checked(scene().of.type);
  const type = 'application/vnd.pypi.simple.v1+json; charset="utf-8"';
  origins[0].serve('simple/x', { body: old, fields: [['Content-Type', type]] });
  for (let time = 0; time < 3; time += 1)
    t.is((await get('simple/x')).header('content-type'), type);
});

test('a copy with an entity tag alone is checked by it alone', async (t) => {
  const { origins, get } = checked(scene().of.etag);
  origins[0].serve(index, { body: old, lastModified: false, etag: '"only"' });
  await get(index);
  t.is((await get(index)).header('cache-status'), `${stale}; fwd-status=304`);
  const check = await origins[0].arrived(index, 2);
  t.is(check.headerOf('if-none-match'), '"only"');
  t.is(check.headerOf('if-modified-since'), undefined);
});

test('a copy with a date alone is checked by it alone', async (t) => {
  const { origins, get } = checked(scene().of.date);
  origins[0].serve(index, { body: old, etag: false });
  await get(index);
  t.is((await get(index)).header('cache-status'), `${stale}; fwd-status=304`);
  t.is((await origins[0].arrived(index, 2)).headerOf('if-none-match'), undefined);
});

test('a copy without validators is fetched again', async (t) => {
  const { origins, get } = checked(scene().of.nothing);
  origins[0].serve(index, { body: old, etag: false, lastModified: false });
  await get(index);
  t.is((await get(index)).header('cache-status'), `${stale}; fwd-status=200; stored`);
});

test('a weak entity tag goes back as it came', async (t) => {
  const { origins, get } = checked(scene().of.weak);
  origins[0].serve(index, { body: old, etag: 'W/"soft"' });
  await get(index);
  t.is((await get(index)).header('cache-status'), `${stale}; fwd-status=304`);
  t.is((await origins[0].arrived(index, 2)).headerOf('if-none-match'), 'W/"soft"');
});

test('a name that may change may be empty', async (t) => {
  const { origins, get } = checked(scene().of.empty);
  origins[0].serve(index, '');
  await get(index);
  const answer = await get(index);
  t.like(answer, { status: 200, ended: 'complete' });
  t.is(answer.header('content-length'), '0');
});

test('the same bytes with a new date are a new copy', async (t) => {
  const { origins, get } = checked(scene().of.same);
  origins[0].serve(index, old);
  await get(index);
  origins[0].serve(index, { body: old, lastModified: newer });
  t.is((await get(index)).header('last-modified'), newer);
  t.is((await get(index)).header('cache-status'), `${stale}; fwd-status=304`);
});

test('a changed body whose end is uncertain is streamed, and the copy stays', async (t) => {
  const { origins, get } = checked(scene().of.unframed);
  origins[0].serve(index, old);
  await get(index);
  origins[0].serve(index, { body: fresh, lastModified: newer, length: 'none' });
  const answer = await get(index);
  t.is(answer.header('cache-status'), `${stale}; fwd-status=200`);
  t.true(answer.body.equals(fresh));
  origins[0].serve(index, { status: 500 });
  t.true((await get(index)).body.equals(old));
});
