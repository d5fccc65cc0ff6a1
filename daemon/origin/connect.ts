import { isIP, type Socket } from 'node:net';
import { Agent, buildConnector, type Dispatcher, Pool, ProxyAgent } from 'undici';
import { createLookup, type FamilyMemory, rememberFamily } from './address.ts';
import { RESET } from './exchange.ts';
import { hideInterim } from './interim.ts';

/** A connection is made, TLS included, within this many milliseconds. */
const CONNECT_TIMEOUT = 10_000;
/** Node's own 250 ms gives up on far mirrors, one address after another. */
const ADDRESS_TIMEOUT = 2000;

/** How connections to the sources are made. */
export interface ConnectionOptions {
  /** PEM certificates, when others than the well-known ones are to be trusted. */
  readonly ca?: readonly string[];
  /** The URL of an HTTP proxy that every request goes through. */
  readonly proxy?: string;
  /** Hosts that are asked without it, and those below their names. */
  readonly noProxy?: readonly string[];
}

/** What the dispatchers of one daemon share. */
export interface ConnectionMemory {
  readonly families: FamilyMemory;
  /** Told on which connection the request goes that is about to be written. */
  starting: ((connection: Connection) => void) | undefined;
}

/** What is to be known of a connection. */
export interface Connection {
  /** It has carried another request before. */
  readonly kept: boolean;
}

/** What dispatchers are made of. */
export interface DispatchersOptions {
  readonly options: ConnectionOptions;
  readonly memory: ConnectionMemory;
}

/** The ways out: each a pool of kept connections, one request at a time on each. */
export interface Dispatchers {
  readonly anywhere: WayOut;
  /** To addresses that the whole internet can reach, and to no others. */
  readonly publicOnly: WayOut;
}

/** What is used of a dispatcher. */
export type WayOut = Pick<Dispatcher, 'dispatch' | 'destroy'>;

interface DispatcherOptions extends DispatchersOptions {
  /** Connect to addresses that the whole internet can reach, and to no others. */
  readonly publicOnly: boolean;
}

const settings = {
  allowH2: false,
  pipelining: 1,
  // Our own watchdog and deadlines rule: undici's are blind while a body is paused.
  headersTimeout: 0,
  bodyTimeout: 0,
  keepAliveTimeout: 15_000,
};

/** Opens them; nothing is connected yet. */
export function createDispatchers(given: DispatchersOptions): Dispatchers {
  return {
    anywhere: createDispatcher({ ...given, publicOnly: false }),
    publicOnly: createDispatcher({ ...given, publicOnly: true }),
  };
}

function createDispatcher(given: DispatcherOptions): WayOut {
  const { proxy, noProxy = [] } = given.options;
  const direct = new Agent({ ...settings, connect: createConnector(given) });
  if (proxy === undefined) return direct;
  const proxied = createProxied(proxy, given);
  return {
    dispatch: (request, handler) => {
      const way = isBelow(String(request.origin), noProxy) ? direct : proxied;
      return way.dispatch(request, handler);
    },
    destroy: async () => {
      await Promise.all([direct.destroy(), proxied.destroy()]);
    },
  };
}

function isBelow(origin: string, hosts: readonly string[]): boolean {
  if (hosts.length === 0) return false;
  const host = new URL(origin).hostname.replace(/^\[|\]$/g, '');
  return hosts.some((name) => host === name || (isIP(name) === 0 && host.endsWith(`.${name}`)));
}

function createProxied(proxy: string, { options, memory }: DispatchersOptions): Dispatcher {
  const factory = (origin: string | URL, pool: Pool.Options) => {
    const connect = prepared(pool.connect as buildConnector.connector, memory);
    return new Pool(origin, { ...pool, ...settings, connect });
  };
  return new ProxyAgent({
    ...settings,
    uri: proxy,
    connectTimeout: CONNECT_TIMEOUT,
    requestTls: { ...trustOf(options), allowH2: false },
    factory,
  } as ProxyAgent.Options);
}

function createConnector({ options, memory, publicOnly }: DispatcherOptions) {
  const connect = buildConnector({
    allowH2: false,
    timeout: CONNECT_TIMEOUT,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT,
    lookup: createLookup(memory.families, publicOnly),
    ...trustOf(options),
  } as buildConnector.BuildOptions);
  return prepared(connect, memory);
}

function trustOf({ ca }: ConnectionOptions): { ca?: string[] } {
  return ca === undefined ? {} : { ca: [...ca] };
}

function prepared(connect: buildConnector.connector, memory: ConnectionMemory) {
  const connector: buildConnector.connector = (target, callback) => {
    connect(target, (error, socket) => {
      if (error !== null) return callback(error, null);
      if (socket.remoteFamily !== undefined) {
        rememberFamily(memory.families, target.hostname, socket.remoteFamily === 'IPv6' ? 6 : 4);
      }
      watchRequests(socket, memory);
      hideInterim(socket);
      renameResets(socket);
      callback(null, socket);
    });
  };
  return connector;
}

// undici writes a request in the same turn in which it tells its handler of the start.
function watchRequests(socket: Socket, memory: ConnectionMemory): void {
  const write = socket.write.bind(socket) as (...parameters: unknown[]) => boolean;
  let kept = false;
  socket.write = (...parameters: unknown[]) => {
    memory.starting?.({ kept });
    memory.starting = undefined;
    kept = true;
    return write(...parameters);
  };
}

/**
 * Gives a RST another name: by its own, undici takes it for the end of a body that only the end of
 * the connection delimits, and a short body would look whole.
 */
function renameResets(socket: Socket): void {
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET') error.code = RESET;
  });
}
