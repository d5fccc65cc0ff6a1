import { mock } from 'node:test';
import test from 'ava';
import type { Dispatcher } from 'undici';
import { type BodySink, Exchange } from '../../daemon/origin/exchange.ts';

type Controller = Dispatcher.DispatchController;

/** A connection that notes what the exchange asks of it. */
function controllerOf(rawHeaders: Controller['rawHeaders'] = []) {
  const calls: string[] = [];
  const controller = {
    rawHeaders,
    abort: (reason: Error) => calls.push(`abort: ${reason.message}`),
    pause: () => calls.push('pause'),
    resume: () => calls.push('resume'),
  } as unknown as Controller;
  return { controller, calls };
}

function sinkTo(seen: string[]): BodySink {
  return {
    data: (chunk) => seen.push(String(chunk)),
    end: () => seen.push('(end)'),
    fail: (error) => seen.push(`(${error.message})`),
  };
}

function startAnswer(fields: Controller['rawHeaders'] = []) {
  const exchange = new Exchange();
  const { controller, calls } = controllerOf(fields);
  exchange.onRequestStart(controller);
  exchange.onResponseStart(controller, 200);
  const data = (text: string) => exchange.onResponseData(controller, Buffer.from(text));
  return { exchange, controller, calls, data };
}

test('the head is that of the final answer, interim ones passed over (RFC 9110 15.2)', async (t) => {
  const exchange = new Exchange();
  const { controller } = controllerOf(['Server', Buffer.from([0x78, 0xfc])] as unknown as string[]);
  exchange.onRequestStart(controller);
  for (const status of [102, 103, 404]) exchange.onResponseStart(controller, status);
  t.deepEqual(await exchange.head, { status: 404, fields: ['Server', 'x\u00fc'] });
});

test('no byte flows before there is somewhere to put it, and none is lost', (t) => {
  const { exchange, calls, data } = startAnswer();
  t.deepEqual(calls, ['pause']);
  data('a');
  data('b');
  const seen: string[] = [];
  exchange.readBody(sinkTo(seen));
  data('c');
  exchange.onResponseEnd();
  t.deepEqual(seen, ['a', 'b', 'c', '(end)']);
  t.is(calls.at(-1), 'resume');
});

test('a body that ended before anyone looked at it is handed over whole', (t) => {
  const { exchange, data } = startAnswer();
  data('all');
  exchange.onResponseEnd();
  const seen: string[] = [];
  exchange.readBody(sinkTo(seen));
  t.deepEqual(seen, ['all', '(end)']);
});

test('a body that broke off is told, after what came of it', (t) => {
  const { exchange, controller, data } = startAnswer();
  const seen: string[] = [];
  data('a');
  exchange.onResponseError(controller, new Error('reset'));
  exchange.readBody(sinkTo(seen));
  t.deepEqual(seen, ['a', '(reset)']);
});

test('a first byte is waited for, and is still there afterwards', async (t) => {
  const { exchange, data } = startAnswer();
  const waiting = exchange.firstBytes();
  data('x');
  t.is(String(await waiting), 'x');
  const seen: string[] = [];
  exchange.readBody(sinkTo(seen));
  t.deepEqual(seen, ['x']);
});

test('a body that ends without a byte is none', async (t) => {
  const { exchange } = startAnswer();
  const waiting = exchange.firstBytes();
  exchange.onResponseEnd();
  t.is((await waiting).length, 0);
});

test('a body that breaks off before its first byte rejects', async (t) => {
  const { exchange, controller } = startAnswer();
  const waiting = exchange.firstBytes();
  exchange.onResponseError(controller, new Error('reset'));
  await t.throwsAsync(waiting, { message: 'reset' });
});

test('a request that fails has no head', async (t) => {
  const exchange = new Exchange();
  exchange.onResponseError(controllerOf().controller, new Error('refused'));
  await t.throwsAsync(exchange.head, { message: 'refused' });
});

test('giving up drops the connection, once', async (t) => {
  const exchange = new Exchange();
  const { controller, calls } = controllerOf();
  exchange.onRequestStart(controller);
  exchange.abort(new Error('enough'));
  exchange.abort(new Error('more'));
  t.deepEqual(calls, ['abort: enough']);
  await t.throwsAsync(exchange.head, { message: 'enough' });
});

test('what was given up before it was sent is not sent', (t) => {
  let written = false;
  const exchange = new Exchange(() => {
    written = true;
  });
  exchange.abort(new Error('enough'));
  const { controller, calls } = controllerOf();
  exchange.onRequestStart(controller);
  t.deepEqual(calls, ['abort: enough']);
  t.false(written);
});

test('an answer that has ended is neither given up nor asked for more', (t) => {
  const { exchange, calls } = startAnswer();
  exchange.readBody(sinkTo([]));
  exchange.onResponseEnd();
  const before = calls.length;
  exchange.abort(new Error('late'));
  exchange.resume();
  t.is(calls.length, before);
});

test('the sink holds the source back and lets it go on', (t) => {
  const { exchange, calls } = startAnswer();
  exchange.readBody(sinkTo([]));
  exchange.pause();
  exchange.resume();
  t.deepEqual(calls.slice(-2), ['pause', 'resume']);
});

test('a short body that is of no use is read, so that its connection lives on', (t) => {
  const { exchange, calls, data } = startAnswer();
  data('x'.repeat(60 * 1024));
  exchange.discard();
  data('x'.repeat(4 * 1024));
  exchange.onResponseEnd();
  t.deepEqual(
    calls.filter((call) => call.startsWith('abort')),
    [],
  );
});

test('a long body that is of no use is cut', (t) => {
  const { exchange, calls, data } = startAnswer();
  exchange.discard();
  data('x'.repeat(64 * 1024));
  t.deepEqual(
    calls.filter((call) => call.startsWith('abort')),
    [],
  );
  data('x');
  t.is(calls.filter((call) => call.startsWith('abort')).length, 1);
});

test.serial('a body that is of no use and never ends is cut after five seconds', (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { exchange, calls } = startAnswer();
    exchange.discard();
    mock.timers.tick(4999);
    t.deepEqual(
      calls.filter((call) => call.startsWith('abort')),
      [],
    );
    mock.timers.tick(1);
    t.is(calls.filter((call) => call.startsWith('abort')).length, 1);
  } finally {
    mock.timers.reset();
  }
});
