import test from 'ava';
import { startBlackHole } from '../helpers/black-hole.ts';
import { bodyOf } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { openRepositories } from './repositories.ts';

const body = bodyOf('package', 20_000);
const path = 'distfiles/aa/x-1.tar.xz';

const scene = share(test, async (t) => {
  const hole = `http://127.0.0.1:${await startBlackHole(t, { host: '127.0.0.1' })}/` as const;
  return openRepositories(t, {
    alone: [hole],
    beside: [hole, 'origin', 'origin'],
  } as const);
});

test('a source to which no connection can be made is given up after ten seconds', async (t) => {
  t.timeout(30_000);
  const { get } = scene().of.alone;
  const started = performance.now();
  const answer = await get(path);
  const took = performance.now() - started;
  t.is(answer.status, 502);
  t.regex(String(answer.body), /Connect Timeout/);
  t.true(took > 9000 && took < 16_000, `${took}`);
});

test('beside another source it costs two seconds once, and then it is set aside', async (t) => {
  const { origins, get } = scene().of.beside;
  origins[0].serve('*', body);
  const started = performance.now();
  const first = await get(path);
  t.true(first.body.equals(body));
  t.true(first.headAt - started > 1900);
  const second = await get(`${path}.2`);
  t.true(second.headAt - first.headAt < 1500);
});
