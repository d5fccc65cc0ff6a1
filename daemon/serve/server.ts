import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { describe, errnoOf } from '../errors.ts';
import type { ServeContext } from './context.ts';
import { type Listening, listen } from './listen.ts';
import { answer } from './request.ts';
import { refuseOnWire, writeAndClose } from './wire.ts';

/** Time limits of a connection, in milliseconds. */
const LIMITS = {
  /** A head that trickles in. */
  head: 30_000,
  /** A whole request, with a body that is thrown away. */
  request: 60_000,
  /** An idle connection between two requests. */
  keepAlive: 75_000,
  /** A client that takes no byte of its answer. */
  stalled: 300_000,
  /** How often Node looks at the first two. */
  interval: 5000,
};

/** The daemon's HTTP side. */
export interface HttpServer {
  readonly host: string;
  readonly port: number;
  /** Connections now. */
  connections(): number;
  /**
   * Stops accepting, lets answers under way end for `grace` milliseconds and then breaks what is
   * left.
   */
  close(grace: number): Promise<void>;
}

/**
 * Listens and answers.
 *
 * @throws CacheError `in-use` or `config` when the address cannot be had.
 */
export async function openServer(where: Listening, context: ServeContext): Promise<HttpServer> {
  const sockets = new Set<Socket>();
  const busy: Busy = new Map();
  const server = createServer({
    headersTimeout: LIMITS.head,
    requestTimeout: LIMITS.request,
    connectionsCheckingInterval: LIMITS.interval,
    keepAliveTimeout: LIMITS.keepAlive,
    // The guard answers this with a reason.
    requireHostHeader: false,
  });
  // The head is bounded in bytes; a bound in fields would silently drop the last ones, Host too.
  server.maxHeadersCount = 0;
  server.timeout = LIMITS.stalled;
  // A client may close its half after the request (RFC 9112 section 9.6) and still be answered.
  Object.assign(server, { httpAllowHalfOpen: true });

  const respond = (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const answers = busy.get(socket) ?? new Set();
    busy.set(socket, answers.add(response));
    response.once('close', () => {
      answers.delete(response);
      if (answers.size === 0) busy.delete(socket);
    });
    // A reset connection shows as an error of its response; it is told by 'close' as well.
    response.on('error', () => {});
    answer(request, response, context).catch((error: unknown) => {
      context.log.error(`Cannot end an answer: ${describe(error)}`);
      socket.destroy();
    });
  };
  server.on('request', respond);
  // No body follows a GET that is worth a "100 Continue".
  server.on('checkContinue', respond);
  server.on('connection', (socket) => admitConnection(socket, { sockets, context }));
  server.on('connect', (_request, socket: Socket) => {
    writeAndClose(socket, { status: 403, reason: 'CONNECT is not for this cache: no open proxy' });
  });
  server.on('clientError', (error, socket: Socket) => {
    const answers = [...(busy.get(socket) ?? [])];
    // Where bytes of an answer are out, what is written now would be taken for a part of it.
    const begun = answers.length > 1 || answers.some((response) => response.headersSent);
    if (errnoOf(error) === 'ECONNRESET' || begun) socket.resetAndDestroy();
    else refuseOnWire(socket, error);
  });
  const address = await listen(server, where);
  return {
    host: where.host,
    port: address.port,
    connections: () => sockets.size,
    close: (grace) => closeServer(server, { sockets, busy, grace }),
  };
}

/** The answers under way on each connection; several when requests are pipelined. */
type Busy = Map<Socket, Set<ServerResponse>>;

interface Admission {
  readonly sockets: Set<Socket>;
  readonly context: ServeContext;
}

function admitConnection(socket: Socket, { sockets, context }: Admission): void {
  const { maxConnections } = context.settings().config;
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
  if (sockets.size > maxConnections) {
    writeAndClose(socket, { status: 503, reason: `${maxConnections} connections are open` });
  }
}

interface Closing {
  readonly sockets: ReadonlySet<Socket>;
  readonly busy: Busy;
  readonly grace: number;
}

async function closeServer(server: Server, { sockets, busy, grace }: Closing): Promise<void> {
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  for (const socket of sockets) if (!busy.has(socket)) socket.destroy();
  const timer = setTimeout(() => {
    for (const socket of sockets) socket.resetAndDestroy();
  }, grace);
  await closed.promise;
  clearTimeout(timer);
}
