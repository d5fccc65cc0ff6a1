import test from 'ava';
import { converse, type Line, type Wire } from '../../daemon/control/conversation.ts';
import type { Response } from '../../daemon/control/messages.ts';
import { gate } from '../helpers/gate.ts';

const hello = { protocol: 1, version: '0', pid: 1 };

/** A wire that flushes when the test says so. */
function wire() {
  const sent: string[] = [];
  const flushes: (() => void)[] = [];
  let paused = false;
  const made: Wire = {
    send: (text) => {
      sent.push(text);
      return new Promise((resolve) => flushes.push(resolve));
    },
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
    },
  };
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const flush = async () => {
    flushes.shift()?.();
    await settle();
  };
  return { made, sent, flush, settle, isPaused: () => paused };
}

const done: Response = { jsonrpc: '2.0', id: 1, result: null };
const progress = {
  jsonrpc: '2.0',
  method: 'progress',
  params: { id: 1, entries: 0, bytes: 0, total: null },
} as const;

test('hello comes first, and nothing follows before it was flushed', async (t) => {
  const { made, sent, flush, settle } = wire();
  const conversation = converse(made, hello, async () => done);
  conversation.receive(Buffer.from('{}'));
  await settle();
  t.is(sent.length, 1);
  t.regex(sent[0] ?? '', /"method":"hello"/);
  await flush();
  t.deepEqual(JSON.parse(sent[1] ?? ''), done);
});

test('a notification is told to be sent when it was flushed, and not before', async (t) => {
  const { made, sent, flush, settle } = wire();
  const told = gate();
  let flushed = false;
  const conversation = converse(made, hello, async (_, line) => {
    void line.notify(progress).then(() => {
      flushed = true;
    });
    await told.pass();
    return done;
  });
  conversation.receive(Buffer.from('{}'));
  await settle();
  await flush();
  t.deepEqual([sent.length, flushed], [2, false]);
  await flush();
  t.true(flushed);
  told.open();
  await settle();
  t.is(sent.length, 3);
});

test('a client that sends much and reads nothing is not read from, until it reads', async (t) => {
  const { made, sent, flush, settle, isPaused } = wire();
  let answered = 0;
  const conversation = converse(made, hello, async () => {
    answered += 1;
    return done;
  });
  for (let count = 0; count < 20; count += 1) conversation.receive(Buffer.from('{}'));
  await settle();
  t.deepEqual([answered, isPaused()], [8, true]);
  for (let count = 0; count < 25; count += 1) await flush();
  t.deepEqual([answered, sent.length, isPaused()], [20, 21, false]);
});

test('a connection that ends calls its commands off, and what waits is never begun', async (t) => {
  const { made, settle } = wire();
  const lines: Line[] = [];
  const conversation = converse(made, hello, (_, line) => {
    lines.push(line);
    return new Promise(() => {});
  });
  for (let count = 0; count < 20; count += 1) conversation.receive(Buffer.from('{}'));
  conversation.end();
  await settle();
  t.is(lines.length, 8);
  t.true(lines.every(({ gone }) => gone.aborted));
});
