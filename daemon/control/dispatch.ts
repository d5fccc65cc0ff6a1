import { nearest } from '../config/nearest.ts';
import { CacheError, describe } from '../errors.ts';
import type { Log } from '../system/log.ts';
import type { Answer, Line } from './conversation.ts';
import type { Failure, Response } from './messages.ts';
import { type CommandName, commands } from './protocol.ts';
import { BadArgument, readValues, type Values } from './values.ts';
import { errorCodes, MAX_MESSAGE_BYTES } from './wire.ts';

/** A request that is under way. */
export interface Call {
  readonly id: number | string;
  readonly line: Line;
}

/** What carries a command out; the result is the answer. */
export type Handler<N extends CommandName> = (values: Values<N>, call: Call) => unknown;

/** One handler for every command of the table. */
export type Handlers = { readonly [N in CommandName]: Handler<N> };

type Id = Failure['id'];

/** What of a message is a request for one of our commands. */
interface Request {
  readonly id: number | string;
  readonly name: CommandName;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Answers messages by the table of commands: every failure has its code, and no message ends it. */
export function createDispatch(handlers: Handlers, log: Log): Answer {
  return async (message, line) => {
    const request = readRequest(message);
    if (request === undefined || 'error' in request) return request;
    try {
      return { jsonrpc: '2.0', id: request.id, result: await carryOut(handlers, request, line) };
    } catch (error) {
      return failureOf(request, error, log);
    }
  };
}

// The handler of a name takes the values of that name, which the compiler cannot see.
async function carryOut(handlers: Handlers, { id, name, params }: Request, line: Line) {
  const handler = handlers[name] as Handler<CommandName>;
  return handler(readValues(name, params), { id, line });
}

/** The request a message holds, or its refusal; nothing for a notification. */
function readRequest(message: Buffer): Request | Failure | undefined {
  if (message.length > MAX_MESSAGE_BYTES) {
    const text = `a message has at most ${MAX_MESSAGE_BYTES} bytes, not ${message.length}`;
    return failure(null, errorCodes.request, text);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(message.toString());
  } catch {
    return failure(null, errorCodes.parse, 'the message is not JSON');
  }
  if (Array.isArray(parsed)) return failure(null, errorCodes.request, 'batches are not taken');
  if (!isRecord(parsed)) return failure(null, errorCodes.request, 'the message is no object');
  return readEnvelope(parsed);
}

function readEnvelope(envelope: Readonly<Record<string, unknown>>): Request | Failure | undefined {
  const { jsonrpc, id, method, params = {} } = envelope;
  const known = typeof id === 'number' || typeof id === 'string';
  const refuse = (code: number, text: string) => failure(known ? id : null, code, text);
  if (jsonrpc !== '2.0') return refuse(errorCodes.request, 'jsonrpc is not "2.0"');
  if (typeof method !== 'string') return refuse(errorCodes.request, 'method is no text');
  if (id !== undefined && !known) return refuse(errorCodes.request, 'id is no number and no text');
  if (!known) return undefined;
  if (!isCommand(method)) {
    const near = nearest(method, Object.keys(commands));
    const hint = near === undefined ? '' : `, did you mean ${near}?`;
    return refuse(errorCodes.method, `there is no command "${method.slice(0, 80)}"${hint}`);
  }
  if (!isRecord(params)) return refuse(errorCodes.params, 'params is no object of named arguments');
  return { id, name: method, params };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(commands, name);
}

function failureOf({ id, name }: Request, error: unknown, log: Log): Response {
  if (error instanceof BadArgument) {
    const { message, argument } = error;
    return failure(id, errorCodes.params, message, { argument });
  }
  if (error instanceof CacheError) {
    return failure(id, errorCodes.failed, error.message, { code: error.code });
  }
  log.error(`Cannot carry out "${name}": ${describe(error)}`);
  return failure(id, errorCodes.internal, `${name} failed: ${describe(error)}`);
}

function failure(id: Id, code: number, message: string, data?: Failure['error']['data']): Failure {
  const error = { code, message, ...(data === undefined ? {} : { data }) };
  return { jsonrpc: '2.0', id, error };
}
