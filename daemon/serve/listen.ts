import type { Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { CacheError, describe, errnoOf } from '../errors.ts';

/** A host and a port. */
export interface Listening {
  readonly host: string;
  readonly port: number;
}

/**
 * Makes a server listen; port 0 takes any that is free.
 *
 * @throws CacheError `in-use` that says why the address cannot be had.
 */
export async function listen(server: Server, { host, port }: Listening): Promise<AddressInfo> {
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen({ host, port }, listening.resolve);
  try {
    await listening.promise;
  } catch (cause) {
    throw new CacheError('in-use', {
      verb: 'listen on',
      thing: `${host}:${port}`,
      reason: reasonOf(cause),
      cause,
    });
  }
  server.off('error', listening.reject);
  return server.address() as AddressInfo;
}

function reasonOf(cause: unknown): string {
  switch (errnoOf(cause)) {
    case 'EADDRINUSE':
      return 'another program listens there; stop it or choose another PORT';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address; choose another HOST';
    case 'EACCES':
      return 'a port below 1024 takes root or CAP_NET_BIND_SERVICE; choose another PORT';
    default:
      return describe(cause);
  }
}

/** Whether a host and port, as a client named them, are those of this daemon. */
export function isOwnAddress(own: Listening, named: Listening): boolean {
  if (named.port !== own.port) return false;
  if (named.host === own.host || named.host === 'localhost') return true;
  if (isIP(named.host) === 0) return false;
  return Object.values(safeInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === named.host),
  );
}

/** The URLs at which a server is reached: of every interface when it listens on all of them. */
export function addressesOf({ host, port }: Listening): readonly string[] {
  const wildcard = host === '0.0.0.0' || host === '::';
  const hosts = wildcard
    ? Object.values(safeInterfaces())
        .flatMap((addresses) => addresses ?? [])
        .filter(({ family, scopeid }) => (host === '::' || family === 'IPv4') && !scopeid)
        .map(({ address }) => address)
    : [host];
  return (hosts.length > 0 ? hosts : [host]).map((name) => urlOf({ host: name, port }));
}

/** The URL of a host and port. */
export function urlOf({ host, port }: Listening): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/`;
}

// systemd's RestrictAddressFamilies without AF_NETLINK makes this throw.
function safeInterfaces(): ReturnType<typeof networkInterfaces> {
  try {
    return networkInterfaces();
  } catch {
    return {};
  }
}
