import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { describe, errnoOf } from '../errors.ts';
import { fieldValue } from '../http/fields.ts';
import { Admission } from './admission.ts';
import { connectionsWithin } from './allowance.ts';
import { Connections } from './connections.ts';
import type { ServeContext } from './context.ts';
import { hasBody } from './guard.ts';
import type { Listening } from './listen.ts';
import { type Listener, setPatience } from './listener.ts';
import { answer } from './request.ts';
import { type WireAnswer, wireAnswerTo } from './wire.ts';

/** How often it is looked at who keeps a connection and makes no use of it. */
const LOOK_EVERY = 1000;

/** On what to answer. */
export interface ServerOptions {
  readonly listeners: readonly Listener[];
  /** How many files this process may have open. */
  readonly descriptors: number;
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
  { listeners, descriptors }: ServerOptions,
  context: ServeContext,
): Promise<HttpServer> {
  const { settings, log } = context;
  const connections = new Connections();
  const admission = new Admission(connections, () => {
    const { config, allowed } = settings();
    const { maxConnectionsPerClient } = config;
    const maxConnections = connectionsWithin(descriptors, config);
    return { allowed, maxConnections, maxConnectionsPerClient };
  });
  const places: Listening[] = [];
  for (const { server, open } of listeners) {
    answerRequests(server, { connections, context });
    watchConnections(server, { connections, admission });
    places.push(await open((socket) => admission.admit(socket)));
    // The system may be out of descriptors or memory for a while: that must not end the daemon.
    server.on('error', (error) => log.error(`Cannot accept: ${describe(error)}`));
  }
  const looking = setInterval(() => {
    const { config } = settings();
    for (const { server } of listeners) setPatience(server, config);
    connections.closeStale(config);
  }, LOOK_EVERY).unref();
  return {
    places,
    connections: () => admission.count,
    close: async (grace) => {
      await closeServers(listeners, { connections, grace });
      clearInterval(looking);
    },
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
  server.on('checkContinue', (request, response) => {
    // Node ends the connection behind an answer to who waits for leave to send nothing.
    if (!hasBody(request)) response.shouldKeepAlive = false;
    respond(request, response);
  });
  server.on('checkExpectation', respond);
}

interface Watching {
  readonly connections: Connections;
  readonly admission: Admission;
}

function watchConnections(server: Server, { connections, admission }: Watching): void {
  const refuse = (socket: Socket, answer: WireAnswer) => {
    // Who is not in ALLOW learns nothing from us but that.
    if (admission.isStranger(socket)) socket.destroy();
    else connections.refuse(socket, answer);
  };
  server.on('connect', (_request, socket: Socket) => {
    // Node has taken its own listener away, and an error that nobody hears ends the process.
    socket.on('error', () => {});
    refuse(socket, { status: 403, reason: 'CONNECT is not for this cache: no open proxy' });
  });
  server.on('clientError', (error, socket: Socket) => {
    if (errnoOf(error) === 'ECONNRESET') socket.resetAndDestroy();
    else refuse(socket, wireAnswerTo(error));
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
