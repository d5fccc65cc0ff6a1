import test from 'ava';
import { bodyOf } from '../helpers/origin.ts';
import { needs } from '../helpers/programs.ts';
import { aria2, startScene } from './fetchers.ts';

const body = bodyOf('distfile', 12 * 1024 ** 2 + 17);
const path = 'distfiles/3c/gcc-15.tar.xz';

test.serial('eight aria2 connections on a cold file are one request to the source', async (t) => {
  if (!needs(t, 'aria2c')) return;
  const { origin, fetch, answers } = await startScene(t, { [path]: { body, rate: 6_000_000 } });
  const { code, bytes, stdout } = await fetch(aria2, path);
  t.is(code, 0, stdout);
  t.true(bytes?.equals(body));
  t.is(origin.count(path), 1);
  t.is(origin.requests[0]?.headerOf('range'), undefined);
  t.true((await answers()).filter((line) => / 206 /.test(line)).length >= 7);
});

test.serial('three aria2 clients at once on a cold file are one request too', async (t) => {
  if (!needs(t, 'aria2c')) return;
  const { origin, fetch } = await startScene(t, { [path]: { body, rate: 8_000_000 } });
  const all = await Promise.all([1, 2, 3].map(() => fetch(aria2, path)));
  t.true(all.every(({ bytes }) => bytes?.equals(body) === true));
  t.is(origin.count(path), 1);
});
