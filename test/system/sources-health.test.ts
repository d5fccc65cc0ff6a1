import test from 'ava';
import { bodyOf } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { openRepositories, type Repository } from './repositories.ts';

const body = bodyOf('package', 5000);
const path = 'distfiles/aa/x-1.tar.xz';
const two = ['origin', 'origin'] as const;

const scene = share(test, (t) =>
  openRepositories(
    t,
    {
      aside: two,
      back: two,
      alone: ['origin'],
      not_found: two,
      forbidden: two,
      listing: two,
      remembered: two,
      forgotten: two,
      uncertain: two,
      without: two,
      by_head: two,
      later: two,
      many: two,
    } as const,
    { NEGATIVE_TTL: '1s' },
  ),
);

/** Asks for names that were never asked for, until a source gets a request. */
async function untilAsked({ get }: Repository, asked: () => boolean): Promise<void> {
  for (let name = 0; !asked(); name += 1) await get(`${path}.${name}`, { method: 'HEAD' });
}

function serveAll({ origins }: Repository): void {
  for (const origin of origins) origin.serve('*', body);
}

test('a source that failed is set aside, and the next request does not wait for it', async (t) => {
  const { daemon, of } = scene();
  const { origins, get } = of.aside;
  origins[0].serve('*', { status: 500 });
  origins[1].serve('*', body);
  for (const name of ['a', 'b', 'c']) t.is((await get(`${path}.${name}`)).status, 200);
  t.is(origins[0].count(), 1);
  t.is(origins[1].count(), 3);
  const line = await daemon.logged(new RegExp(`source ${origins[0].url} is set aside`));
  t.regex(line, /for 2\.0s: status 500$/);
});

test('a source that is back is probed and asked first again', async (t) => {
  const { daemon, of } = scene();
  const repository = of.back;
  const { origins, get } = repository;
  serveAll(repository);
  await origins[0].stop();
  t.is((await get(path)).status, 200);
  await origins[0].restart();
  await untilAsked(repository, () => origins[0].count() > 0);
  await daemon.logged(new RegExp(`source ${origins[0].url} works again`));
  const before = origins[1].count();
  t.is((await get(`${path}.last`)).status, 200);
  t.is(origins[1].count(), before);
});

test('the only source is asked even while it is set aside', async (t) => {
  const { origins, get } = scene().of.alone;
  origins[0].serve('*', (_, time) => (time === 1 ? { status: 500 } : { body }));
  t.is((await get(path)).status, 502);
  t.is((await get(path)).status, 200);
});

for (const [name, status] of [
  ['not_found', 404],
  ['forbidden', 403],
] as const) {
  test(`${status} costs a source no health`, async (t) => {
    const { origins, get } = scene().of[name];
    origins[0].serve('*', { status });
    origins[1].serve('*', body);
    for (const file of ['a', 'b', 'c']) t.is((await get(`${path}.${file}`)).status, 200);
    t.is(origins[0].count(), 3);
  });
}

test('a listing that is forbidden costs a source no health', async (t) => {
  const { origins, get } = scene().of.listing;
  for (const origin of origins) origin.serve('/distfiles/', { status: 403 });
  origins[0].serve(path, body);
  const answer = await get('distfiles/');
  t.is(answer.status, 502);
  t.regex(String(answer.body), /status 403/);
  await get(path);
  t.is(origins[0].count(path), 1);
});

test('404 from every source is a 404, and is remembered for NEGATIVE_TTL', async (t) => {
  const { origins, get } = scene().of.remembered;
  const answer = await get(path);
  t.is(answer.status, 404);
  t.regex(String(answer.body), /no source has it \(.*: status 404; .*: status 404\)/);
  for (const method of ['GET', 'HEAD']) t.is((await get(path, { method })).status, 404);
  t.is(origins[0].count() + origins[1].count(), 2);
});

test('404 is forgotten after NEGATIVE_TTL', async (t) => {
  const { origins, get } = scene().of.forgotten;
  t.is((await get(path)).status, 404);
  origins[0].serve(path, body);
  let answer = await get(path);
  while (answer.status === 404) answer = await get(path);
  t.is(answer.status, 200);
  t.is(origins[0].count(), 2);
});

test('404 from one source while another failed is a 404, but not remembered', async (t) => {
  const { origins, get } = scene().of.uncertain;
  origins[0].serve('*', { status: 403 });
  t.is((await get(path)).status, 404);
  origins[0].serve(path, body);
  t.is((await get(path)).status, 200);
});

test('404 is remembered where the source that did not say so is set aside', async (t) => {
  const { origins, get } = scene().of.without;
  origins[0].serve('*', { status: 500 });
  t.is((await get(path)).status, 404);
  t.is((await get(`${path}.asc`)).status, 404);
  const before = origins[1].count();
  t.is((await get(`${path}.asc`)).status, 404);
  t.is(origins[1].count(), before);
});

test('404 to a HEAD is remembered for a GET', async (t) => {
  const { origins, get } = scene().of.by_head;
  t.is((await get(path, { method: 'HEAD' })).status, 404);
  origins[0].serve(path, body);
  t.is((await get(path)).status, 404);
  t.is(origins[0].count(), 1);
});

test('404 from the first source and the package from the second is the package', async (t) => {
  const { origins, get } = scene().of.later;
  origins[1].serve(path, body);
  t.true((await get(path)).body.equals(body));
  t.true((await get(path)).body.equals(body));
  t.is(origins[0].count(), 1);
});

test('many requests that fail at a time are one failure, with one line and one back-off', async (t) => {
  const { daemon, of } = scene();
  const { origins, get } = of.many;
  const gate = origins[0].gate();
  origins[0].serve('*', { status: 500, delayHead: gate });
  origins[1].serve('*', body);
  const answers = Array.from({ length: 10 }, (_, name) => get(`${path}.${name}`));
  await origins[0].arrived(`${path}.9`);
  gate.open();
  for (const { status } of await Promise.all(answers)) t.is(status, 200);
  const lines = daemon.log().filter((line) => line.includes(`source ${origins[0].url} is set`));
  t.is(lines.length, 1);
  await untilAsked(of.many, () => origins[0].count() > 10);
});
