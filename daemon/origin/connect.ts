import { Agent, buildConnector, type Dispatcher, ProxyAgent } from 'undici';
import { createLookup, type FamilyMemory, rememberFamily } from './address.ts';
import { hideContinue } from './interim.ts';

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
}

/** What the dispatchers of one daemon share. */
export interface ConnectionMemory {
  readonly families: FamilyMemory;
  /** How many connections were opened to each origin so far. */
  readonly opened: Map<string, number>;
}

interface DispatcherOptions {
  readonly options: ConnectionOptions;
  readonly memory: ConnectionMemory;
  /** Connect to addresses that the whole internet can reach, and to no others. */
  readonly publicOnly: boolean;
}

/** A pool of kept connections, one request at a time on each. */
export function createDispatcher({ options, memory, publicOnly }: DispatcherOptions): Dispatcher {
  const settings = {
    allowH2: false,
    pipelining: 1,
    // Our own watchdog and deadlines rule: undici's are blind while a body is paused.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 15_000,
  };
  if (options.proxy !== undefined) return new ProxyAgent({ ...settings, uri: options.proxy });
  return new Agent({ ...settings, connect: createConnector({ options, memory, publicOnly }) });
}

function createConnector(given: DispatcherOptions): buildConnector.connector {
  const { options, memory, publicOnly } = given;
  const connect = buildConnector({
    allowH2: false,
    timeout: CONNECT_TIMEOUT,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT,
    lookup: createLookup(memory.families, publicOnly),
    ...(options.ca === undefined ? {} : { ca: [...options.ca] }),
  } as buildConnector.BuildOptions);
  return (target, callback) => {
    const origin = `${target.protocol}//${target.host ?? target.hostname}`;
    memory.opened.set(origin, (memory.opened.get(origin) ?? 0) + 1);
    connect(target, (error, socket) => {
      if (error !== null) return callback(error, null);
      if (socket.remoteFamily !== undefined) {
        rememberFamily(memory.families, target.hostname, socket.remoteFamily === 'IPv6' ? 6 : 4);
      }
      hideContinue(socket);
      callback(null, socket);
    });
  };
}
