import type { Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { CacheError, describe, errnoOf } from '../errors.ts';

/** A host and a port. */
export interface Listening {
  readonly host: string;
  readonly port: number;
}

/** A socket that somebody else has bound and holds as well. */
export interface Handed {
  readonly descriptor: number;
}

/**
 * Makes a server listen; port 0 takes any that is free.
 *
 * @returns where it listens, as it was named.
 * @throws CacheError `in-use` or `config` that says why it cannot.
 */
export async function listen(server: Server, place: Listening | Handed): Promise<Listening> {
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  const at = 'descriptor' in place ? { fd: place.descriptor } : place;
  try {
    server.listen(at, listening.resolve);
    await listening.promise;
  } catch (cause) {
    throw 'descriptor' in place ? notToListenOn(place, cause) : unavailable(place, cause);
  }
  server.off('error', listening.reject);
  const { address, port } = server.address() as AddressInfo;
  return { host: 'descriptor' in place ? address : place.host, port };
}

function notToListenOn({ descriptor }: Handed, cause: unknown): CacheError {
  return new CacheError('config', {
    verb: 'listen on',
    thing: `descriptor ${descriptor}`,
    reason: `it is no socket for that, ${describe(cause)}; the socket unit wants ListenStream= and Accept=no`,
    cause,
  });
}

function unavailable({ host, port }: Listening, cause: unknown): CacheError {
  // Nobody will give that right to a later start.
  const code = errnoOf(cause) === 'EACCES' ? 'config' : 'in-use';
  const reason = reasonOf(cause);
  return new CacheError(code, { verb: 'listen on', thing: `${host}:${port}`, reason, cause });
}

function reasonOf(cause: unknown): string {
  switch (errnoOf(cause)) {
    case 'EADDRINUSE':
      return 'another program listens there; stop it or choose another PORT';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address; choose another HOST';
    case 'EACCES':
      return 'a port below 1024 takes a start as root with PC_USER, or CAP_NET_BIND_SERVICE; choose another PORT';
    default:
      return describe(cause);
  }
}

/** Whether a host and port, as a client named them, are one of those that this daemon has. */
export function isOwnAddress(places: readonly Listening[], named: Listening): boolean {
  return places.some((own) => isSame(own, named));
}

function isSame(own: Listening, named: Listening): boolean {
  if (named.port !== own.port) return false;
  if (named.host === own.host || named.host === 'localhost') return true;
  if (isIP(named.host) === 0) return false;
  return Object.values(safeInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === named.host),
  );
}

/** The URLs at which a server is reached: of every interface when it listens on all of them. */
export function addressesOf(places: readonly Listening[]): readonly string[] {
  return [...new Set(places.flatMap(urlsOf))];
}

function urlsOf({ host, port }: Listening): readonly string[] {
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
