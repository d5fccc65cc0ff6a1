import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { describe } from '../errors.ts';
import type { HandedControl } from '../system/activation.ts';
import type { Log } from '../system/log.ts';
import { type Answer, converse, type Wire } from './conversation.ts';
import type { Hello } from './messages.ts';
import { admitGroup, cannotListen, clearPlace } from './place.ts';

/**
 * A message that is too long gets an answer as long as it is no longer than this; beyond, keeping
 * it in memory to find its end would cost too much, and the connection ends.
 */
const HARD_LIMIT = 1024 ** 2;

/** A connection that is not read from shows its end only when it is written to. */
const PROBE_EVERY = 30_000;

/** A path to bind, or a socket that is bound already. */
type Place = { readonly path: string } | { readonly fd: number };

/** What a control socket is opened with. */
export interface SocketOptions {
  /** Where it may be, the best place first. */
  readonly places: readonly string[];
  /** One that is bound already, in place of all these: who may talk to it was decided there. */
  readonly handed?: HandedControl | undefined;
  /** Whose members may talk to it. */
  readonly group?: string | undefined;
  /** Connections at the same time; read at each use, since a reload may change it. */
  readonly maxConnections: () => number;
  readonly hello: Hello;
  readonly answer: Answer;
  readonly log: Log;
}

/** The control socket. */
export interface ControlSocket {
  readonly path: string;
  /** Ends all conversations, and removes the socket. */
  close(): Promise<void>;
}

/** Listens at the first place that can be had; without one the daemon runs on, and the log says so. */
export async function openSocket(options: SocketOptions): Promise<ControlSocket | undefined> {
  const { places, handed, log } = options;
  if (handed !== undefined) return attendAt(handed.path, { fd: handed.descriptor }, options);
  for (const path of places) {
    try {
      return await openAt(path, options);
    } catch (error) {
      log.warn(`no control socket: ${describe(error)}`);
    }
  }
  if (places.length === 0) log.warn('no control socket: set CONTROL_SOCKET to have one');
  return undefined;
}

async function openAt(path: string, options: SocketOptions): Promise<ControlSocket> {
  await clearPlace(path);
  const socket = await attendAt(path, { path }, options);
  await admitGroup(path, options.group).catch((error: unknown) =>
    options.log.warn(describe(error)),
  );
  return socket;
}

async function attendAt(path: string, at: Place, options: SocketOptions): Promise<ControlSocket> {
  const { log, maxConnections } = options;
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 10_000 });
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: HARD_LIMIT,
  });
  server.on('request', (_request, response) => {
    response.writeHead(426, { Connection: 'close', Upgrade: 'websocket' }).end('use WebSocket\n');
  });
  server.on('upgrade', (request, socket, head) => {
    if (sockets.clients.size >= maxConnections()) return refuse(socket, maxConnections());
    sockets.handleUpgrade(request, socket, head, (client: WebSocket, _from: IncomingMessage) =>
      attend(client, options),
    );
  });
  boundOpen(server, maxConnections);
  await listen(server, path, at);
  server.on('error', (error) => log.error(`Cannot accept on "${path}": ${describe(error)}`));
  log.debug(`control socket at ${path}`);
  const probe = setInterval(() => probeAll(sockets), PROBE_EVERY).unref();
  return {
    path,
    close: async () => {
      clearInterval(probe);
      for (const client of sockets.clients) client.close(1001, 'the daemon stops');
      // Who does not read the farewell must not hold the daemon up.
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function listen(server: Server, path: string, at: Place): Promise<void> {
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen(at, listening.resolve);
  try {
    await listening.promise;
  } catch (cause) {
    throw cannotListen(path, cause);
  }
  server.off('error', listening.reject);
}

// Those that have not asked for anything yet, or were refused, are twice as many at most.
function boundOpen(server: Server, maxConnections: () => number): void {
  let open = 0;
  server.on('connection', (socket: Socket) => {
    open += 1;
    socket.once('close', () => {
      open -= 1;
    });
    if (open > 2 * maxConnections()) socket.destroy();
  });
}

function refuse(socket: Duplex, limit: number): void {
  const reason = `${limit} connections are open already (MAX_CONTROL_CONNECTIONS)\n`;
  // It may be gone by now, and nobody else listens.
  socket.on('error', () => {});
  socket.end(
    `HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: ${reason.length}\r\n\r\n${reason}`,
  );
}

function attend(client: WebSocket, { hello, answer }: SocketOptions): void {
  const wire: Wire = {
    send: (text) => new Promise((resolve) => client.send(text, () => resolve())),
    pause: () => client.pause(),
    resume: () => client.resume(),
  };
  const conversation = converse(wire, hello, answer);
  // One message, one buffer: the type knows of other settings.
  client.on('message', (data) => conversation.receive(data as Buffer));
  client.on('close', () => conversation.end());
  // A frame that is none, or far too long: the library has closed the connection by now.
  client.on('error', () => {});
}

function probeAll({ clients }: WebSocketServer): void {
  for (const client of clients) if (client.bufferedAmount === 0) client.ping();
}
