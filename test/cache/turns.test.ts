import test from 'ava';
import { createTurns } from '../../daemon/cache/turns.ts';
import { gate } from '../helpers/gate.ts';

test('tasks of one name run one after another, in their order', async (t) => {
  const turns = createTurns();
  const held = gate();
  const order: string[] = [];
  const first = turns('a', async () => {
    await held.pass();
    order.push('first');
  });
  const second = turns('a', async () => {
    order.push('second');
  });
  await held.reached;
  t.deepEqual(order, []);
  held.open();
  await Promise.all([first, second]);
  t.deepEqual(order, ['first', 'second']);
});

test('tasks of different names do not wait for each other', async (t) => {
  const turns = createTurns();
  const held = gate();
  const slow = turns('slow', () => held.pass());
  t.is(await turns('quick', async () => 'done'), 'done');
  held.open();
  await slow;
});

test('a task that fails tells its own caller, and the next one runs', async (t) => {
  const turns = createTurns();
  const failing = turns('a', () => Promise.reject(new Error('no')));
  const next = turns('a', async () => 'done');
  await t.throwsAsync(failing, { message: 'no' });
  t.is(await next, 'done');
  t.is(await turns('a', async () => 'later'), 'later');
});
