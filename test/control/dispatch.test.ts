import test from 'ava';
import type { Line } from '../../daemon/control/conversation.ts';
import { createDispatch, type Handlers } from '../../daemon/control/dispatch.ts';
import type { Failure, Response } from '../../daemon/control/messages.ts';
import { commands } from '../../daemon/control/protocol.ts';
import { errorCodes, MAX_MESSAGE_BYTES } from '../../daemon/control/wire.ts';
import { CacheError } from '../../daemon/errors.ts';

const line: Line = {
  notify: async () => {},
  gone: new AbortController().signal,
};

/** A dispatcher whose commands answer with their arguments, but for those that are given. */
function dispatcher(handlers: Partial<Handlers> = {}) {
  const lines: string[] = [];
  const log = (text: string) => lines.push(text);
  const echo = Object.fromEntries(
    Object.keys(commands).map((name) => [name, (values: unknown) => values]),
  );
  const answer = createDispatch(
    { ...(echo as unknown as Handlers), ...handlers },
    {
      ...{ error: log, warn: log, info: log, debug: log, access: log },
      configure: async () => {},
      setLevel: () => {},
      close: async () => {},
    },
  );
  const ask = (text: string | Buffer): Promise<Response | undefined> =>
    answer(Buffer.from(text), line);
  return { ask, lines };
}

function call(method: string, params?: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 7, method, params });
}

async function refusalOf(answer: Promise<Response | undefined>): Promise<Failure> {
  return (await answer) as Failure;
}

const malformed: readonly (readonly [what: string, text: string, code: number, id: unknown])[] = [
  ['nothing', '', errorCodes.parse, null],
  ['no JSON', '{', errorCodes.parse, null],
  ['bytes that are not UTF-8', '\u0000\ufffd', errorCodes.parse, null],
  ['a text', '"status"', errorCodes.request, null],
  ['null', 'null', errorCodes.request, null],
  ['a batch', `[${call('status')}]`, errorCodes.request, null],
  ['an empty batch', '[]', errorCodes.request, null],
  ['no version', '{"id":7,"method":"status"}', errorCodes.request, 7],
  ['another version', '{"jsonrpc":"1.0","id":7,"method":"status"}', errorCodes.request, 7],
  ['no method', '{"jsonrpc":"2.0","id":7}', errorCodes.request, 7],
  ['a method that is a number', '{"jsonrpc":"2.0","id":7,"method":1}', errorCodes.request, 7],
  ['an id that is null', '{"jsonrpc":"2.0","id":null,"method":"status"}', errorCodes.request, null],
  [
    'an id that is a list',
    '{"jsonrpc":"2.0","id":[1],"method":"status"}',
    errorCodes.request,
    null,
  ],
  ['an unknown method', call('frobnicate'), errorCodes.method, 7],
  ['a method of every object', call('constructor'), errorCodes.method, 7],
  ['params by position', call('why', ['a']), errorCodes.params, 7],
  ['params that are a text', call('why', 'a'), errorCodes.params, 7],
  ['params that are null', call('why', null), errorCodes.params, 7],
];

for (const [what, text, code, id] of malformed) {
  test(`${what} is refused with code ${code}`, async (t) => {
    const { error, ...rest } = await refusalOf(dispatcher().ask(text));
    t.deepEqual(rest, { jsonrpc: '2.0', id } as typeof rest);
    t.is(error.code, code);
    t.true(error.message.length > 5);
  });
}

test('a message that is too long is refused, whatever it says', async (t) => {
  const padding = 'x'.repeat(MAX_MESSAGE_BYTES);
  const { error, id } = await refusalOf(dispatcher().ask(call('why', { path: padding })));
  t.is(error.code, errorCodes.request);
  t.is(id, null);
});

test('a request without an id gets no answer and does nothing', async (t) => {
  const { ask } = dispatcher({ reload: () => t.fail() });
  t.is(await ask('{"jsonrpc":"2.0","method":"reload"}'), undefined);
});

test('a command that is misspelt is answered with the nearest one', async (t) => {
  const { error } = await refusalOf(dispatcher().ask(call('statsu')));
  t.regex(error.message, /did you mean stat(us|s)\?$/);
});

const badArguments: readonly (readonly [string, Record<string, unknown>, string])[] = [
  ['status', { verbose: true }, 'verbose'],
  ['why', {}, 'path'],
  ['why', { path: 7 }, 'path'],
  ['why', { path: ['a'] }, 'path'],
  ['purge', { patterns: 'a' }, 'patterns'],
  ['purge', { patterns: [] }, 'patterns'],
  ['purge', { patterns: [1] }, 'patterns'],
  ['fetch', {}, 'paths'],
  ['cull', { olderThan: 90 }, 'olderThan'],
  ['cull', { olderThan: '90 apples' }, 'olderThan'],
  ['cull', { olderThan: '90' }, 'olderThan'],
  ['cull', { olderThan: '-1d' }, 'olderThan'],
  ['cull', { toSize: '200' }, 'toSize'],
  ['cull', { toSize: 'lots' }, 'toSize'],
  ['cull', { toSize: '1G', dryRun: 'yes' }, 'dryRun'],
  ['cull', { toSize: '1G', path: '[' }, 'path'],
  ['ls', { sort: 'colour' }, 'sort'],
  ['log-level', { level: 'loud' }, 'level'],
];

for (const [method, params, argument] of badArguments) {
  test(`${method} does not take ${JSON.stringify(params)}, and says which argument`, async (t) => {
    const { error } = await refusalOf(dispatcher().ask(call(method, params)));
    t.is(error.code, errorCodes.params);
    t.is(error.data?.argument, argument);
  });
}

test('ages and sizes are read by the daemon, and what is not given is absent', async (t) => {
  const { ask } = dispatcher();
  const read = await ask(call('cull', { olderThan: '90d', toSize: '1.5G', dryRun: true }));
  t.like(read, { id: 7, result: { olderThan: 90 * 86_400_000, toSize: 1.5 * 1024 ** 3 } });
  t.like(await ask(call('cull', { toSize: '0' })), { result: { toSize: 0 } });
  t.deepEqual(await ask(call('ls')), { jsonrpc: '2.0', id: 7, result: {} });
});

test('a command that is refused is told with the reason and its code', async (t) => {
  const refuse = () => {
    throw new CacheError('not-found', { verb: 'cancel', thing: 'a', reason: 'there is none' });
  };
  const { error } = await refusalOf(dispatcher({ downloads: refuse }).ask(call('downloads')));
  t.deepEqual(error, {
    code: errorCodes.failed,
    message: 'Cannot cancel "a": there is none',
    data: { code: 'not-found' },
  });
});

test('a bug is answered as one, and logged', async (t) => {
  const { ask, lines } = dispatcher({
    stats: () => {
      throw new TypeError('x is undefined');
    },
  });
  t.is((await refusalOf(ask(call('stats')))).error.code, errorCodes.internal);
  t.regex(lines.join('\n'), /"stats": x is undefined/);
});
