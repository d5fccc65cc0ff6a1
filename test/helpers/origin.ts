import { createServer, type Server, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { type Field, parseHead, valuesOf } from './fields.ts';
import { type Gate, gate } from './gate.ts';
import { type Answer, type OriginRequest, replyTo } from './origin-reply.ts';
import { send } from './origin-send.ts';
import { listen } from './tcp.ts';
import { Wire } from './wire.ts';

export { bodyOf, type Generate, sha256OfGenerated } from './body.ts';
export type { Field } from './fields.ts';
export { type Gate, gate } from './gate.ts';
export type { Answer, OriginRequest } from './origin-reply.ts';
export { defaultLastModified } from './origin-reply.ts';
export { refusedPort } from './tcp.ts';

/** An answer, a body alone, or a function of the request and of how many came for that path. */
export type Script =
  | Answer
  | Buffer
  | string
  | ((request: OriginRequest, time: number) => Answer | Promise<Answer>);

export interface OriginOptions {
  /** Accepts connections and answers none of them. */
  readonly silent?: boolean;
  /** False: every answer ends its connection. */
  readonly keepAlive?: boolean;
  /** Where it listens: 127.0.0.1 when nothing is said. */
  readonly address?: string;
  /** Any that is free, when nothing is said. */
  readonly port?: number;
  /** False: requests are not kept, for an origin that gets millions; each is the first. */
  readonly remember?: boolean;
  readonly files?: Readonly<Record<string, Script>>;
}

/** A scripted HTTP origin; what nobody scripted is a 404. */
export interface Origin {
  /** `http://ADDRESS:PORT/`. */
  readonly url: string;
  readonly port: number;
  readonly requests: readonly OriginRequest[];
  /** Connections that are open now. */
  readonly connections: number;
  /** Scripts a path in any of its spellings; `*` is for every other path. */
  serve(path: string, script: Script): void;
  count(path?: string): number;
  /** The n-th request for the path, as soon as it is there. */
  arrived(path: string, time?: number): Promise<OriginRequest>;
  gate(): Gate;
  /** Refuses connections and resets those that are open. */
  stop(): Promise<void>;
  /** Listens on the same port again. */
  restart(): Promise<void>;
}

interface State {
  readonly options: OriginOptions;
  readonly scripts: Map<string, Script>;
  readonly requests: Recorded[];
  /** The same by name, with the query and without. */
  readonly named: Map<string, Recorded[]>;
  readonly sockets: Set<Socket>;
  readonly failures: unknown[];
  waiters: (() => void)[];
}

interface Recorded extends OriginRequest {
  sent: number;
}

/** Starts an origin that is gone with the test. */
export async function startOrigin(
  t: ExecutionContext,
  options: OriginOptions = {},
): Promise<Origin> {
  const state: State = {
    options,
    scripts: new Map(),
    requests: [],
    named: new Map(),
    sockets: new Set(),
    failures: [],
    waiters: [],
  };
  const server = createServer({ noDelay: true }, (socket) => {
    serveConnection(state, socket).catch((error: unknown) => {
      state.failures.push(error);
      socket.resetAndDestroy();
    });
  });
  const port = await listen(server, options.port ?? 0, options.address);
  t.teardown(async () => {
    await stop(server, state);
    if (state.failures.length > 0) throw state.failures[0];
  });
  const origin = originOf(server, port, state);
  for (const [path, script] of Object.entries(options.files ?? {})) origin.serve(path, script);
  return origin;
}

function originOf(server: Server, port: number, state: State): Origin {
  const { address = '127.0.0.1' } = state.options;
  const of = (path: string) => state.named.get(nameOf(path)) ?? [];
  return {
    url: `http://${address}:${port}/`,
    port,
    requests: state.requests,
    get connections() {
      return state.sockets.size;
    },
    serve: (path, script) => state.scripts.set(nameOf(path), script),
    count: (path) => (path === undefined ? state.requests.length : of(path).length),
    arrived: async (path, time = 1) => {
      for (;;) {
        const request = of(path)[time - 1];
        if (request !== undefined) return request;
        await new Promise<void>((resolve) => state.waiters.push(resolve));
      }
    },
    gate,
    stop: () => stop(server, state),
    restart: async () => {
      await listen(server, port, address);
    },
  };
}

async function stop(server: Server, { sockets }: State): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const socket of sockets) socket.resetAndDestroy();
  await closed;
}

async function serveConnection(state: State, socket: Socket): Promise<void> {
  const wire = new Wire(socket);
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  state.sockets.add(socket);
  socket.once('close', () => state.sockets.delete(socket));
  let open = true;
  while (open) {
    const head = await wire.until('\r\n\r\n');
    if (head === undefined) break;
    const request = record(state, head, gone);
    if (state.options.silent === true) return;
    open = await respond(state, request, socket);
  }
}

function record(state: State, head: Buffer, gone: Promise<void>): Recorded {
  const { start, fields } = parseHead(head);
  const [method = '', target = ''] = start.split(' ');
  const headerOf = (name: string) => valuesOf(fields, name)[0];
  const request: Recorded = { method, target, fields, headerOf, gone, sent: 0 };
  if (state.options.remember === false) return request;
  state.requests.push(request);
  for (const name of new Set([nameOf(target), bareNameOf(target)])) {
    state.named.set(name, [...(state.named.get(name) ?? []), request]);
  }
  for (const wake of state.waiters.splice(0)) wake();
  return request;
}

async function respond(state: State, request: Recorded, socket: Socket): Promise<boolean> {
  const time = state.named.get(bareNameOf(request.target))?.length ?? 1;
  const answer = withConnection(state, await answerOf(state, request, time));
  const reply = replyTo(request, answer);
  const onSent = (bytes: number) => {
    request.sent += bytes;
  };
  return send({ socket, reply, answer, onSent });
}

async function answerOf(state: State, request: OriginRequest, time: number): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405 };
  const names = [nameOf(request.target), bareNameOf(request.target), '/*'];
  const script = names.map((name) => state.scripts.get(name)).find((found) => found !== undefined);
  if (script === undefined) return { status: 404 };
  if (typeof script === 'function') return script(request, time);
  return typeof script === 'string' || Buffer.isBuffer(script) ? { body: script } : script;
}

function withConnection({ options }: State, answer: Answer): Answer {
  if (options.keepAlive !== false) return answer;
  const close: Field = ['Connection', 'close'];
  return { ...answer, fields: [...(answer.fields ?? []), close] };
}

function bareNameOf(target: string): string {
  return nameOf(target.split('?', 1)[0] ?? '');
}

/** The name a mirror looks up: decoded once, without scheme and host. */
function nameOf(target: string): string {
  const path = target.replace(/^https?:\/\/[^/]*/i, '').replace(/^(?!\/)/, '/');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
