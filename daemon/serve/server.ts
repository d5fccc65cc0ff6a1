import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { describe, errnoOf } from '../errors.ts';
import { fieldValue } from '../http/fields.ts';
import { Connections } from './connections.ts';
import type { ServeContext } from './context.ts';
import type { Listening } from './listen.ts';
import type { Listener } from './listener.ts';
import { answer } from './request.ts';
import { wireAnswerTo } from './wire.ts';

/** On what to answer, and how patient to be. */
export interface ServerOptions {
  readonly listeners: readonly Listener[];
  /** Milliseconds that a client may take no byte of its answer, when not as usual. */
  readonly stalled?: number | undefined;
}

/** The daemon's HTTP side. */
export interface HttpServer {
  /** Where it listens: one address, or all that were handed over. */
  readonly places: readonly Listening[];
  /** Connections now. */
  connections(): number;
  /**
   * Stops accepting, lets answers under way end for `grace` milliseconds and then breaks what is
   * left.
   */
  close(grace: number): Promise<void>;
}

/**
 * Answers whoever connects.
 *
 * @throws CacheError `config` when a socket that was handed over is none to listen on.
 */
export async function openServer(
  { listeners, stalled }: ServerOptions,
  context: ServeContext,
): Promise<HttpServer> {
  const connections = new Connections();
  const places: Listening[] = [];
  for (const { server, open } of listeners) {
    if (stalled !== undefined) server.timeout = stalled;
    answerRequests(server, { connections, context });
    watchConnections(server, connections);
    places.push(await open((socket) => connections.admit(socket, context.settings().config)));
    // The system may be out of descriptors or memory for a while: that must not end the daemon.
    server.on('error', (error) => context.log.error(`Cannot accept: ${describe(error)}`));
  }
  return {
    places,
    connections: () => connections.count,
    close: (grace) => closeServers(listeners, { connections, grace }),
  };
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
    if (fieldValue(request.rawHeaders, 'upgrade') !== undefined) response.shouldKeepAlive = false;
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

function watchConnections(server: Server, connections: Connections): void {
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

async function closeServers(
  listeners: readonly Listener[],
  { connections, grace }: Closing,
): Promise<void> {
  const closed = listeners.map(
    ({ server }) => new Promise<void>((resolve) => server.close(() => resolve())),
  );
  const timer = connections.close(grace);
  await Promise.all(closed);
  clearTimeout(timer);
}
