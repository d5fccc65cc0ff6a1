import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Listening, listen } from './listen.ts';

/** A request has so long, in ms, behind its head, for a body that is thrown away. */
const BODY_TIME = 30_000;
/** How often Node looks at what is late. */
const LOOK_EVERY = 1000;
/** So many who come before the daemon serves are kept waiting; nothing is known of them yet. */
const MAX_EARLY = 512;

/** What a client may take. */
export interface ListenerLimits {
  /** Bytes of a head. */
  readonly maxHeadSize: number;
  /** Milliseconds until that is there. */
  readonly headTimeout: number;
  /** Milliseconds between two requests. */
  readonly idleTimeout: number;
}

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

/** Where to listen, and what those who connect may take. */
export interface Addresses extends ListenerLimits {
  readonly hosts: readonly string[];
  /** The same on each; 0 for any that is free on the first. */
  readonly port: number;
}

/**
 * Takes all addresses, or none.
 *
 * @throws CacheError `in-use` or `config` that says why one cannot be had.
 */
export async function bindListeners(addresses: Addresses): Promise<readonly Listener[]> {
  const { hosts, port } = addresses;
  const listeners: Listener[] = [];
  try {
    for (const host of hosts) {
      const first = listeners[0]?.server.address() as AddressInfo | undefined;
      listeners.push(await bindListener({ host, port: first?.port ?? port }, addresses));
    }
    return listeners;
  } catch (error) {
    for (const listener of listeners) listener.close();
    throw error;
  }
}

/**
 * Takes an address, which only root may be able to. Who connects is kept waiting.
 *
 * @throws CacheError `in-use` or `config` that says why the address cannot be had.
 */
export async function bindListener(place: Listening, limits: ListenerLimits): Promise<Listener> {
  const server = createLimitedServer(limits);
  const early = new Set<Socket>();
  const hold = (socket: Socket) => {
    if (early.size >= MAX_EARLY) {
      socket.destroy();
      return;
    }
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
export function adoptListener(descriptor: number, limits: ListenerLimits): Listener {
  const server = createLimitedServer(limits);
  return {
    server,
    open: async (admit) => {
      server.on('connection', admit);
      return listen(server, { descriptor });
    },
    close: () => server.close(),
  };
}

/** Takes over what a reload may have changed: it counts for connections that are open, too. */
export function setPatience(
  server: Server,
  { headTimeout, idleTimeout }: Omit<ListenerLimits, 'maxHeadSize'>,
): void {
  server.headersTimeout = headTimeout;
  server.requestTimeout = headTimeout + BODY_TIME;
  server.keepAliveTimeout = idleTimeout;
}

function createLimitedServer(limits: ListenerLimits): Server {
  const server = createServer({
    maxHeaderSize: limits.maxHeadSize,
    connectionsCheckingInterval: LOOK_EVERY,
    // The guard answers this with a reason.
    requireHostHeader: false,
  });
  setPatience(server, limits);
  // The head is bounded in bytes; a bound in fields would silently drop the last ones, Host too.
  server.maxHeadersCount = 0;
  // A client may close its half after the request (RFC 9112 section 9.6) and still be answered.
  return Object.assign(server, { httpAllowHalfOpen: true });
}
