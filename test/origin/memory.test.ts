import test from 'ava';
import { createMemory } from '../../daemon/origin/memory.ts';

test('a fact is known for its time, and a new one in its place for a time of its own', (t) => {
  let lifetime = 60_000;
  const memory = createMemory<number>(() => lifetime);
  memory.set('a', 1);
  memory.set('a', 2);
  t.is(memory.get('a'), 2);
  t.is(memory.get('b'), undefined);
  lifetime = 0;
  t.is(memory.get('a'), undefined);
});

test('what is not true any more is not kept until somebody asks: nobody may', (t) => {
  let lifetime = 0;
  const memory = createMemory<number>(() => lifetime);
  for (let at = 0; at < 100; at += 1) memory.set(`name ${at}`, at);
  t.is(memory.size, 0);
  lifetime = 60_000;
  for (let at = 0; at < 100; at += 1) memory.set(`name ${at}`, at);
  t.is(memory.size, 100);
});

test('ten thousand facts are kept, and what matches is forgotten', (t) => {
  const memory = createMemory<number>(() => 60_000);
  for (let at = 0; at < 10_010; at += 1) memory.set(`name ${at}`, at);
  t.is(memory.size, 10_000);
  t.is(memory.get('name 9'), undefined);
  t.is(memory.get('name 10'), 10);
  memory.forget((name) => name.endsWith('7'));
  t.is(memory.size, 9000);
  t.is(memory.get('name 17'), undefined);
});
