import { connect as connectSocket } from 'node:net';
import { type RawData, WebSocket } from 'ws';
import type {
  Events,
  Failure,
  Hello,
  Notification,
  Progress,
  Response,
  Rows,
} from '../daemon/control/messages.ts';
import { errorCodes } from '../daemon/control/wire.ts';
import { describe, printable } from '../daemon/errors.ts';
import { type Attempt, isDenied, isNobody, pathsFor, unreached } from './address.ts';
import { ControlFailure, exitCodes, failed } from './failure.ts';

/** Whom a command tells of what comes before its answer. */
export interface Listeners {
  readonly onRows?: (rows: Rows) => void;
  readonly onProgress?: (progress: Progress) => void;
  readonly onEvents?: (events: Events) => void;
}

/** One request. */
export interface Call extends Listeners {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** A connection to the daemon. */
export interface Client {
  readonly hello: Hello;
  /** The socket it goes through. */
  readonly path: string;
  /** @throws ControlFailure when the daemon refuses, fails, or goes away */
  call(call: Call): Promise<unknown>;
  /** Ends the connection, and with it the command that runs. */
  close(): void;
}

/** How to find the daemon, and how patient to be. */
export interface ClientOptions {
  /** What `--socket` says. */
  readonly socket?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds until a connection that says no hello is given up. */
  readonly patience?: number;
  /** Milliseconds between two questions whether the daemon is still there. */
  readonly beat?: number;
}

const PATIENCE = 5000;
const BEAT = 5000;
/** So many beats without a word: the daemon hangs. */
const MISSED_BEATS = 3;
/** A notification of 1,000 rows with the longest names has some 2 MB. */
const LONGEST_MESSAGE = 16 * 1024 ** 2;

/** Connects to the first socket that answers. @throws ControlFailure that says what was tried */
export async function connect(options: ClientOptions): Promise<Client> {
  const attempts: Attempt[] = [];
  for (const path of pathsFor(options.socket, options.env)) {
    try {
      return await open(path, options);
    } catch (error) {
      if (!isNobody(error) && !isDenied(error)) throw noPackageCache(path, error);
      attempts.push({ path, error });
    }
  }
  throw unreached(attempts);
}

function noPackageCache(path: string, error: unknown): ControlFailure {
  if (error instanceof ControlFailure) return error;
  const reason = `no package-cache answers there, ${describe(error)}`;
  return failed({ verb: 'reach', thing: path, reason, cause: error });
}

interface Pending extends Listeners {
  readonly method: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

async function open(path: string, options: ClientOptions): Promise<Client> {
  const { patience = PATIENCE, beat = BEAT } = options;
  const socket = new WebSocket('ws://localhost/', {
    createConnection: () => connectSocket(path),
    handshakeTimeout: patience,
    maxPayload: LONGEST_MESSAGE,
    perMessageDeflate: false,
  });
  const pending = new Map<number, Pending>();
  const greeting = Promise.withResolvers<Hello>();
  const fail = (reason: string, cause?: unknown) => {
    const error = failed({ verb: 'ask', thing: path, reason, cause });
    // Until it says hello, what went wrong decides whether another path is tried.
    greeting.reject(cause ?? error);
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
    socket.terminate();
  };
  socket.on('error', (error) => fail(describe(error), error));
  socket.on('close', () => fail('the daemon closed the connection'));
  socket.on('message', (data) => {
    const message = parse(data);
    if (message === undefined) fail('its answer is no JSON-RPC');
    else if (!('method' in message)) settle(message, { pending, path });
    else if (message.method === 'hello') greeting.resolve(message.params);
    else deliver(message, pending);
  });
  const timer = setTimeout(() => fail(`no answer for ${patience / 1000} s`), patience);
  const hello = await greeting.promise.finally(() => clearTimeout(timer));
  const line: Line = { socket, pending, sent: 0 };
  const stopBeating = keepBeating({ socket, beat, lost: () => fail('it has stopped answering') });
  return {
    hello,
    path,
    call: (call) => request(call, line),
    close: () => {
      stopBeating();
      socket.close();
    },
  };
}

interface Line {
  readonly socket: WebSocket;
  readonly pending: Map<number, Pending>;
  /** Requests so far. */
  sent: number;
}

function request(call: Call, line: Line): Promise<unknown> {
  const { method, params = {} } = call;
  const { socket, pending } = line;
  line.sent += 1;
  const id = line.sent;
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  pending.set(id, { ...call, resolve, reject });
  // What cannot be sent is told by the connection, which is broken then.
  socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }), () => {});
  return promise;
}

function parse(data: RawData): Notification | Response | undefined {
  try {
    const message: unknown = JSON.parse(String(data));
    return isMessage(message) ? message : undefined;
  } catch {
    return undefined;
  }
}

// Both programs keep to one list of messages, and hello tells whether it is the same.
function isMessage(message: unknown): message is Notification | Response {
  if (typeof message !== 'object' || message === null || !('jsonrpc' in message)) return false;
  if (!('method' in message)) return 'result' in message || 'error' in message;
  const params = 'params' in message ? message.params : undefined;
  if (typeof params !== 'object' || params === null) return false;
  return message.method !== 'hello' || 'protocol' in params;
}

function deliver(message: Exclude<Notification, { method: 'hello' }>, pending: Line['pending']) {
  const listeners = pending.get(Number(message.params.id));
  if (message.method === 'rows') listeners?.onRows?.(message.params);
  if (message.method === 'progress') listeners?.onProgress?.(message.params);
  if (message.method === 'events') listeners?.onEvents?.(message.params);
}

function settle(response: Response, { pending, path }: Pick<Line, 'pending'> & { path: string }) {
  // A failure without an id answers the only request there can be.
  const id = response.id === null ? (pending.keys().next().value ?? 0) : Number(response.id);
  const waiting = pending.get(id);
  pending.delete(id);
  if ('error' in response) waiting?.reject(refusal(response, { path, method: waiting.method }));
  else waiting?.resolve(response.result);
}

function refusal({ error }: Failure, { path, method }: { path: string; method: string }) {
  if (error.code === errorCodes.method) {
    const reason = `the daemon at ${path} is older and does not know it`;
    return failed({ verb: 'run', thing: method, reason });
  }
  const code = error.code === errorCodes.params ? exitCodes.usage : exitCodes.failed;
  return new ControlFailure(code, { message: printable(error.message) });
}

interface Heart {
  readonly socket: WebSocket;
  readonly beat: number;
  readonly lost: () => void;
}

// Beats are counted, not time: a pager that holds up our output holds up our clock as well.
function keepBeating({ socket, beat, lost }: Heart): () => void {
  let missed = 0;
  const heard = () => {
    missed = 0;
  };
  socket.on('pong', heard);
  socket.on('message', heard);
  const timer = setInterval(() => {
    missed += 1;
    if (missed > MISSED_BEATS) lost();
    else socket.ping(() => {});
  }, beat);
  const stop = () => clearInterval(timer);
  socket.on('close', stop);
  return stop;
}
