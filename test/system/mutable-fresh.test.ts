import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { bodyOf } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { openRepositories } from './repositories.ts';

const index = 'dists/stable/InRelease';
const [old, fresh] = [bodyOf('old', 3000), bodyOf('new', 4000)];
const newer = 'Thu, 02 Jan 2025 00:00:00 GMT';
const one = ['origin'] as const;
const hit = 'package-cache; hit';
const noCache = [['Cache-Control', 'no-cache']] as const;

const layout = {
  fresh: one,
  forced: one,
  ages: one,
  immutable: one,
  siblings: one,
  cousins: one,
  globs: one,
  restart: one,
  record: one,
  replaced: one,
} as const;

const scene = share(test, (t) =>
  openRepositories(t, layout, {
    MUTABLE_TTL: '1h',
    MUTABLE: 'soft/*.tar.xz',
    IMMUTABLE: 'hard/*.txt **/frozen/*',
  }),
);

test('within MUTABLE_TTL a copy is a hit, without contact', async (t) => {
  const { origins, get } = scene().of.fresh;
  origins[0].serve(index, old);
  await get(index);
  await origins[0].stop();
  for (let time = 0; time < 3; time += 1) {
    const answer = await get(index);
    t.is(answer.header('cache-status'), hit);
    t.true(answer.body.equals(old));
  }
  t.is(origins[0].count(), 1);
});

test('no-cache forces a check (RFC 9111 5.2.1.4)', async (t) => {
  const { daemon, of } = scene();
  const { origins, get } = of.forced;
  origins[0].serve(index, old);
  await get(index);
  await daemon.logged(/stored "forced/);
  const asked = { fields: noCache };
  let answer = await get(index, asked);
  while (answer.header('cache-status') === hit) answer = await get(index, asked);
  t.is(answer.header('cache-status'), 'package-cache; fwd=request; fwd-status=304');
  origins[0].serve(index, { body: fresh, lastModified: newer });
  t.is((await get(index)).header('cache-status'), hit);
  answer = await get(index, asked);
  t.is(answer.header('cache-status'), 'package-cache; fwd=request; fwd-status=200; stored');
  t.true(answer.body.equals(fresh));
});

for (const [field, value, checks] of [
  ['Cache-Control', 'max-age=0', true],
  ['Cache-Control', 'max-age=0, no-cache', true],
  ['Cache-Control', 'No-Cache', true],
  ['Cache-Control', 'max-age=3600', false],
  ['Cache-Control', 'max-stale=0', false],
  ['Cache-Control', 'no-store', false],
  ['Cache-Control', 'max-age=x', false],
  ['X-Control', 'no-cache', false],
] as const) {
  const verb = checks ? 'forces a check' : 'is no reason for a check';
  test(`${field}: ${value} ${verb} of a copy that is fresh`, async (t) => {
    const { daemon, of } = scene();
    const { origins, get } = of.ages;
    const name = `dists/${value.replaceAll(/\W/g, '')}${field.length}`;
    origins[0].serve(name, old);
    await get(name);
    await daemon.logged(new RegExp(`stored "ages/${name}"`));
    const fields = [[field, value]] as const;
    let answer = await get(name, { fields });
    while (checks && answer.header('cache-status') === hit) answer = await get(name, { fields });
    t.is(
      answer.header('cache-status'),
      checks ? 'package-cache; fwd=request; fwd-status=304' : hit,
    );
  });
}

test('no-cache and max-age=0 are ignored on a name that never changes', async (t) => {
  const { origins, get } = scene().of.immutable;
  const name = 'dists/stable/main/by-hash/SHA256/0123';
  origins[0].serve(name, old);
  await get(name);
  for (const value of ['no-cache', 'max-age=0']) {
    const fields = [['Cache-Control', value]] as const;
    t.is((await get(name, { fields })).header('cache-status'), hit);
  }
  t.is(origins[0].count(), 1);
});

test('when one file of a directory changes, the others are checked at once', async (t) => {
  const { daemon, of } = scene();
  const { origins, get } = of.siblings;
  const signature = 'dists/stable/Release.gpg';
  for (const name of [index, signature]) {
    origins[0].serve(name, old);
    await get(name);
    await daemon.logged(new RegExp(`stored "siblings/${name}"`));
  }
  const before = daemon.log().length;
  origins[0].serve(index, { body: fresh, lastModified: newer });
  let answer = await get(index, { fields: noCache });
  while (!answer.body.equals(fresh)) answer = await get(index, { fields: noCache });
  await daemon.logged(/stored "siblings\/.*InRelease"/, before);
  const sibling = await get(signature);
  t.is(sibling.header('cache-status'), 'package-cache; fwd=stale; fwd-status=304');
  let next = await get(signature);
  while (next.header('cache-status') !== hit) next = await get(signature);
  t.true(next.body.equals(old));
});

test('files of other directories keep their time', async (t) => {
  const { daemon, of } = scene();
  const { origins, get } = of.cousins;
  const cousin = 'dists/testing/InRelease';
  for (const name of [index, cousin]) {
    origins[0].serve(name, old);
    await get(name);
    await daemon.logged(new RegExp(`stored "cousins/${name}"`));
  }
  const before = daemon.log().length;
  origins[0].serve(index, { body: fresh, lastModified: newer });
  let answer = await get(index, { fields: noCache });
  while (!answer.body.equals(fresh)) answer = await get(index, { fields: noCache });
  await daemon.logged(/stored "cousins\/.*InRelease"/, before);
  t.is((await get(cousin)).header('cache-status'), hit);
});

for (const [name, mutable] of [
  ['soft/x.tar.xz', true],
  ['other/x.tar.xz', false],
  ['hard/x.txt', false],
  ['other/x.txt', true],
  ['dists/frozen/InRelease', false],
] as const) {
  test(`${name} ${mutable ? 'may' : 'may not'} change, by MUTABLE and IMMUTABLE`, async (t) => {
    const { daemon, of } = scene();
    const { origins, get } = of.globs;
    origins[0].serve(name, old);
    await get(name);
    await daemon.logged(new RegExp(`stored "globs/${name}"`));
    let answer = await get(name, { fields: noCache });
    while (mutable && answer.header('cache-status') === hit) {
      answer = await get(name, { fields: noCache });
    }
    const forced = 'package-cache; fwd=request; fwd-status=304';
    t.is(answer.header('cache-status'), mutable ? forced : hit);
  });
}

test('a record that does not fit its file is none: the file is fetched unconditionally', async (t) => {
  const { daemon, of } = scene();
  const { origins, get } = of.record;
  origins[0].serve(index, { body: old, etag: '"tag"' });
  await get(index);
  await daemon.logged(/stored "record/);
  await utimes(join(daemon.cacheDir, 'record', index), new Date(), new Date(0));
  let answer = await get(index);
  while (answer.header('cache-status') === hit) answer = await get(index);
  t.is(answer.header('cache-status'), 'package-cache; fwd=stale; fwd-status=200; stored');
  const again = await origins[0].arrived(index, 2);
  t.is(again.headerOf('if-none-match'), undefined);
  t.is(again.headerOf('if-modified-since'), undefined);
});

test('a file that somebody put in the place of a copy is not taken for it', async (t) => {
  const { daemon, of } = scene();
  const { origins, get } = of.replaced;
  origins[0].serve(index, old);
  await get(index);
  await daemon.logged(/stored "replaced/);
  await writeFile(join(daemon.cacheDir, 'replaced', index), 'something else');
  let answer = await get(index);
  while (String(answer.body) === 'something else') answer = await get(index);
  t.true(answer.body.equals(old));
});

test.serial('after a restart a fresh copy is a hit, with its type and its record', async (t) => {
  const { daemon, of } = scene();
  const { origins, get } = of.restart;
  const type = 'application/x-special';
  origins[0].serve('simple/x', { body: old, etag: '"tag"', fields: [['Content-Type', type]] });
  await get('simple/x');
  await daemon.logged(/stored "restart/);
  await daemon.restart();
  const answer = await get('simple/x');
  t.is(answer.header('cache-status'), hit);
  t.is(answer.header('content-type'), type);
  t.is(
    (await get('simple/x', { fields: noCache })).header('cache-status'),
    'package-cache; fwd=request; fwd-status=304',
  );
  t.is((await origins[0].arrived('simple/x', 2)).headerOf('if-none-match'), '"tag"');
});
