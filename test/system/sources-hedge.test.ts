import test from 'ava';
import { bodyOf, type Origin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { openRepositories } from './repositories.ts';

const body = bodyOf('package', 70_000);
const path = 'distfiles/aa/x-1.tar.xz';
const two = ['origin', 'origin'] as const;

const scene = share(test, (t) =>
  openRepositories(
    t,
    {
      slow: two,
      silent: ['silent', 'origin'],
      after_all: two,
      alone: two,
      head: two,
      pass: two,
      bodiless: two,
      together: two,
      third: ['origin', 'origin', 'origin'],
      sorry: two,
      quick: two,
    } as const,
    { HEDGE_AFTER: '100ms' },
  ),
);

/** Makes a source wait with its head until the gate opens. */
function delay(origin: Origin) {
  const gate = origin.gate();
  origin.serve('*', { body, delayHead: gate });
  return gate;
}

test('a slow source gets company, and the first good answer wins', async (t) => {
  const { origins, get } = scene().of.slow;
  delay(origins[0]);
  origins[1].serve(path, body);
  const answer = await get(path);
  t.like(answer, { status: 200, ended: 'complete' });
  t.true(answer.body.equals(body));
  const loser = await origins[0].arrived(path);
  await loser.gone;
  t.is(loser.sent, 0);
});

test('a source that accepts connections and says nothing is no reason to wait', async (t) => {
  const { origins, get } = scene().of.silent;
  const [silent, other] = origins;
  other.serve('*', body);
  for (const name of ['a', 'b']) t.is((await get(`${path}.${name}`)).status, 200);
  t.true(silent.count() > 0);
});

test('the slow source is not dropped before its company has answered well', async (t) => {
  const { origins, get } = scene().of.after_all;
  const gate = delay(origins[0]);
  origins[1].serve('*', { status: 500 });
  const asked = get(path);
  await origins[1].arrived(path);
  gate.open();
  t.true((await asked).body.equals(body));
  t.is(origins[0].count(), 1);
});

test('when the slow source is faster after all, its company is dropped', async (t) => {
  const { origins, get } = scene().of.alone;
  const [first, second] = [delay(origins[0]), delay(origins[1])];
  const asked = get(path);
  await second.reached;
  first.open();
  t.true((await asked).body.equals(body));
  const company = await origins[1].arrived(path);
  await company.gone;
  t.is(company.sent, 0);
});

test('a HEAD gets company too', async (t) => {
  const { origins, get } = scene().of.head;
  delay(origins[0]);
  origins[1].serve(path, body);
  t.is((await get(path, { method: 'HEAD' })).status, 200);
});

test('what is passed on gets company too', async (t) => {
  const { origins, get } = scene().of.pass;
  delay(origins[0]);
  origins[1].serve('/search?q=1', 'found');
  t.is(String((await get('search?q=1')).body), 'found');
});

test('a head without a length is no answer before its first byte has come', async (t) => {
  const { origins, get } = scene().of.bodiless;
  const gate = origins[0].gate();
  origins[0].serve(path, { body, length: 'chunked', chunks: { gate, after: 0 } });
  origins[1].serve(path, body);
  const answer = await get(path);
  t.true(answer.body.equals(body));
  t.is(answer.header('content-length'), String(body.length));
});

test('clients that ask together see one answer of one source', async (t) => {
  const { origins, get } = scene().of.together;
  delay(origins[0]);
  origins[1].serve(path, body);
  const answers = await Promise.all(Array.from({ length: 5 }, () => get(path)));
  for (const answer of answers) t.true(answer.body.equals(body));
  t.is(origins[0].count() + origins[1].count(), 2);
});

test('one after the other gets company, until one answers', async (t) => {
  const { origins, get } = scene().of.third;
  delay(origins[0]);
  delay(origins[1]);
  origins[2]?.serve(path, body);
  t.true((await get(path)).body.equals(body));
  for (const origin of origins) t.is(origin.count(), 1);
});

test('404 from the company does not end the wait for the slow source', async (t) => {
  const { origins, get } = scene().of.sorry;
  const gate = delay(origins[0]);
  const asked = get(path);
  await origins[1].arrived(path);
  gate.open();
  t.is((await asked).status, 200);
});

test('a source that is slow for a moment is asked first the next time', async (t) => {
  const { origins, get } = scene().of.quick;
  const gate = origins[0].gate();
  origins[0].serve('*', (_, time) => (time === 1 ? { body, delayHead: gate } : { body }));
  origins[1].serve('*', body);
  t.is((await get(`${path}.1`)).status, 200);
  gate.open();
  origins[0].serve('*', body);
  t.is((await get(`${path}.2`)).status, 200);
  t.is(origins[0].count(`${path}.2`), 1);
});
