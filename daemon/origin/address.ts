import dns from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** More hosts than this and the oldest memory goes. */
const REMEMBERED_HOSTS = 1000;

/** Which address family last worked for a host: 4 or 6. */
export type FamilyMemory = Map<string, number>;

/** Notes the family of a connection that was made. */
export function rememberFamily(memory: FamilyMemory, host: string, family: number): void {
  memory.delete(host);
  memory.set(host, family);
  for (const oldest of memory.keys()) {
    if (memory.size <= REMEMBERED_HOSTS) return;
    memory.delete(oldest);
  }
}

/**
 * A lookup for net.connect that offers the family that worked last first (RFC 8305 section 4 asks
 * for a memory of outcomes), and that offers public addresses alone where the caller demands it.
 */
export function createLookup(memory: FamilyMemory, publicOnly: boolean): LookupFunction {
  return (hostname, options, callback) => {
    dns.lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 0);
      const usable = publicOnly ? found.filter(({ address }) => isPublicAddress(address)) : found;
      const [first] = usable;
      if (first === undefined) return callback(notPublic(hostname), '', 0);
      const preferred = memory.get(hostname);
      const ordered = usable.toSorted(
        (left, right) => Number(right.family === preferred) - Number(left.family === preferred),
      );
      if (options.all === true) return callback(null, ordered);
      callback(null, ordered[0]?.address ?? first.address, ordered[0]?.family ?? first.family);
    });
  };
}

function notPublic(hostname: string): NodeJS.ErrnoException {
  return new Error(`${hostname} has a loopback or private address only`);
}

const notRoutable = new BlockList();
for (const [network, prefix] of [
  // IANA IPv4 Special-Purpose Address Registry: what is not globally reachable.
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  notRoutable.addSubnet(network, prefix, 'ipv4');
  // RFC 6052: the same network as a NAT64 sees it.
  notRoutable.addSubnet(`64:ff9b::${network}`, 96 + prefix, 'ipv6');
}
for (const [network, prefix] of [
  // Its IPv6 sibling: unspecified, loopback, the LAN's own NAT64, 6to4, unique local, link-local,
  // multicast.
  ['::', 127],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  notRoutable.addSubnet(network, prefix, 'ipv6');
}

/** An address that the whole internet can reach: not loopback, private, link-local or multicast. */
export function isPublicAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return isPublicAddress(mapped);
  const family = isIP(address);
  return family !== 0 && !notRoutable.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Whether a host name or literal address is public; a name is, when all its addresses are, and when
 * it has none here: UPSTREAM_PROXY alone may be able to resolve it.
 */
export async function isPublicHost(hostname: string): Promise<boolean> {
  if (isIP(hostname) !== 0) return isPublicAddress(hostname);
  const found = await dns.promises.lookup(hostname, { all: true }).catch(() => []);
  return found.every(({ address }) => isPublicAddress(address));
}
