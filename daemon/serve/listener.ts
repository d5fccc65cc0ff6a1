import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { type Listening, listen } from './listen.ts';

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

/** A server that answers nobody yet. */
export interface Listener {
  readonly server: Server;
  /**
   * Lets everybody in, those who have come before first.
   *
   * @throws CacheError `config` when a socket that was handed over is none to listen on.
   */
  open(admit: (socket: Socket) => void): Promise<Listening>;
  /** Gives the address back when the start comes to nothing. */
  close(): void;
}

/**
 * Takes an address, which only root may be able to. Who connects is kept waiting.
 *
 * @throws CacheError `in-use` or `config` that says why the address cannot be had.
 */
export async function bindListener(place: Listening): Promise<Listener> {
  const server = createLimitedServer();
  const early = new Set<Socket>();
  const hold = (socket: Socket) => {
    early.add(socket);
    socket.once('close', () => early.delete(socket));
    // Node has just scheduled that it is read from, and would undo a pause that comes first.
    process.nextTick(() => {
      if (early.has(socket)) socket.pause();
    });
  };
  server.on('connection', hold);
  const listening = await listen(server, place);
  return {
    server,
    open: async (admit) => {
      server.off('connection', hold);
      server.on('connection', admit);
      for (const socket of early) {
        admit(socket);
        socket.resume();
      }
      early.clear();
      return listening;
    },
    close: () => {
      server.close();
      for (const socket of early) socket.destroy();
    },
  };
}

/**
 * Takes a socket over that somebody else holds. Until it is opened, and after it is closed, who
 * connects waits in the kernel: for this daemon or for the next one.
 */
export function adoptListener(descriptor: number): Listener {
  const server = createLimitedServer();
  return {
    server,
    open: async (admit) => {
      server.on('connection', admit);
      return listen(server, { descriptor });
    },
    close: () => server.close(),
  };
}

function createLimitedServer(): Server {
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
  return Object.assign(server, { httpAllowHalfOpen: true });
}
