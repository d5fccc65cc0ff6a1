import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { describe, errnoOf } from '../errors.ts';
import { Connections } from './connections.ts';
import type { ServeContext } from './context.ts';
import { type Listening, listen } from './listen.ts';
import { answer } from './request.ts';
import { wireAnswerTo } from './wire.ts';

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

/** Where to listen, and how patient to be. */
export interface ServerOptions extends Listening {
  /** Milliseconds that a client may take no byte of its answer: 5 minutes when nothing is said. */
  readonly stalled?: number;
}

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
export async function openServer(
  { host, port, stalled = LIMITS.stalled }: ServerOptions,
  context: ServeContext,
): Promise<HttpServer> {
  const connections = new Connections();
  const server = createLimitedServer(stalled);
  answerRequests(server, { connections, context });
  watchConnections(server, { connections, context });
  const address = await listen(server, { host, port });
  // The system may be out of descriptors or memory for a while: that must not end the daemon.
  server.on('error', (error) => context.log.error(`Cannot accept: ${describe(error)}`));
  return {
    host,
    port: address.port,
    connections: () => connections.count,
    close: (grace) => closeServer(server, { connections, grace }),
  };
}

function createLimitedServer(stalled: number): Server {
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
  server.timeout = stalled;
  // A client may close its half after the request (RFC 9112 section 9.6) and still be answered.
  return Object.assign(server, { httpAllowHalfOpen: true });
}

interface Serving {
  readonly connections: Connections;
  readonly context: ServeContext;
}

function answerRequests(server: Server, { connections, context }: Serving): void {
  const respond = (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    if (!connections.begin(response)) return;
    // Node's parser loses what comes in one piece with such a request, so nothing may.
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    // A reset connection shows as an error of its response; it is told by 'close' as well.
    response.on('error', () => {});
    answer(request, response, context).catch((error: unknown) => {
      context.log.error(`Cannot end an answer: ${describe(error)}`);
      socket.destroy();
    });
  };
  server.on('request', respond);
  // Whoever reads the body asks for it; any other expectation is ignored, as nginx does.
  server.on('checkContinue', respond);
  server.on('checkExpectation', respond);
}

function watchConnections(server: Server, { connections, context }: Serving): void {
  server.on('connection', (socket) => connections.admit(socket, context.settings().config));
  server.on('connect', (_request, socket: Socket) => {
    // Node has taken its own listener away, and an error that nobody hears ends the process.
    socket.on('error', () => {});
    const reason = 'CONNECT is not for this cache: no open proxy';
    connections.refuse(socket, { status: 403, reason });
  });
  // A clean end would let a client take what it has for the whole.
  server.on('timeout', (socket) => connections.giveUp(socket));
  server.on('clientError', (error, socket: Socket) => {
    if (errnoOf(error) === 'ECONNRESET') socket.resetAndDestroy();
    else connections.refuse(socket, wireAnswerTo(error));
  });
}

interface Closing {
  readonly connections: Connections;
  readonly grace: number;
}

async function closeServer(server: Server, { connections, grace }: Closing): Promise<void> {
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  const timer = connections.close(grace);
  await closed.promise;
  clearTimeout(timer);
}
