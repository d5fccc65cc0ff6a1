import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type WebSocket, WebSocketServer } from 'ws';
import { PROTOCOL } from '../../daemon/control/wire.ts';
import { tempDir } from '../helpers/files.ts';

/** A request as it came, and the ways to answer it. */
export interface Asked {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  notify(method: 'rows' | 'progress' | 'events', params: object): void;
  result(value: unknown): void;
  error(code: number, message: string, data?: object): void;
  readonly socket: WebSocket;
  /** Settles when the client is gone. */
  readonly gone: Promise<void>;
}

/** What a fake daemon says. */
export interface FakeOptions {
  readonly hello?: object | string;
  readonly answer?: (asked: Asked) => unknown;
}

/** A daemon that says what a test wants, on a real socket. */
export interface FakeDaemon {
  readonly path: string;
  /** All requests so far. */
  readonly asked: readonly Asked[];
}

/** Starts one; it is gone with the test. */
export async function startFake(t: ExecutionContext, options: FakeOptions): Promise<FakeDaemon> {
  const path = join(await tempDir(t), 'control.sock');
  const asked: Asked[] = [];
  const server = createHttpServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    const { hello = { protocol: PROTOCOL, version: '9.8.7', pid: 4242 } } = options;
    const text = JSON.stringify({ jsonrpc: '2.0', method: 'hello', params: hello });
    socket.send(typeof hello === 'string' ? hello : text);
    socket.on('message', (data) => {
      const one = openRequest(socket, String(data));
      asked.push(one);
      options.answer?.(one);
    });
  });
  server.listen(path);
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  return { path, asked };
}

/** A socket on which connections are accepted and then treated as a test wants. */
export async function startSocket(
  t: ExecutionContext,
  accept: (socket: Socket) => void,
): Promise<string> {
  const path = join(await tempDir(t), 'control.sock');
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    accept(socket);
  });
  server.listen(path);
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return path;
}

function openRequest(socket: WebSocket, text: string): Asked {
  const { id, method, params } = JSON.parse(text);
  const send = (message: object) => socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }));
  return {
    method,
    params,
    notify: (name, rest) => send({ method: name, params: { id, ...rest } }),
    result: (value) => send({ id, result: value }),
    error: (code, message, data) => send({ id, error: { code, message, data } }),
    socket,
    gone: once(socket, 'close').then(() => {}),
  };
}
