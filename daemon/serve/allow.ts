import { BlockList, isIP, isIPv4, SocketAddress } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { CacheError } from '../errors.ts';

/** Who may ask: ALLOW as the configuration gives it. */
export interface AllowList {
  /** @param address as the socket names its peer; empty once the socket is gone. */
  allows(address: string | undefined): boolean;
}

/** Network addresses of this machine, as `os.networkInterfaces` returns them. */
export type Interfaces = () => NodeJS.Dict<NetworkInterfaceInfo[]>;

const words: ReadonlyMap<string, readonly string[]> = new Map([
  ['any', ['0.0.0.0/0', '::/0']],
  ['loopback', ['127.0.0.0/8', '::1']],
  // RFC 1918, RFC 3927 and their counterparts in IPv6: RFC 4193, RFC 4291 section 2.5.6.
  [
    'private',
    ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', 'fc00::/7', 'fe80::/10'],
  ],
  ['local', []],
]);

const interfacesKeptFor = 10_000;

/** So many addresses are known without a look at the rules. */
const ADMITTED_KEPT = 1000;

/**
 * Compiles ALLOW. The prefixes behind `local` change while a daemon runs for years, so they are
 * read again, at most every ten seconds and only for an address that no fixed rule admits.
 *
 * @throws CacheError `config` for a rule that is neither a word, an address nor a prefix.
 */
export function createAllowList(options: {
  readonly rules: readonly string[];
  readonly interfaces: Interfaces;
  /** Milliseconds on a clock that is never set back. */
  readonly now?: () => number;
}): AllowList {
  const fixed = createPrefixes();
  for (const rule of options.rules.flatMap((word) => words.get(word) ?? [word]))
    addRule(fixed, rule);
  const local = options.rules.includes('local')
    ? localPrefixes(options.interfaces, options.now ?? (() => performance.now()))
    : undefined;
  // The same few machines ask all day. What `local` says of them may change, and is not kept.
  const admitted = new Set<string>();
  return {
    allows(address = '') {
      if (admitted.has(address)) return true;
      const plain = plainAddress(address);
      if (isIP(plain) === 0) return false;
      if (!fixed.has(plain)) return local?.().has(plain) ?? false;
      if (admitted.size < ADMITTED_KEPT) admitted.add(address);
      return true;
    },
  };
}

interface Prefixes {
  /** False when the text is no prefix. */
  add(address: string, bits: number): boolean;
  has(address: string): boolean;
}

/** One list each, because a BlockList takes `::/0` to hold every IPv4 address too. */
function createPrefixes(): Prefixes {
  const four = new BlockList();
  const six = new BlockList();
  return {
    add(address, bits) {
      const version = isIP(address);
      if (version === 0 || bits < 0 || bits > (version === 4 ? 32 : 128)) return false;
      if (version === 4) four.addSubnet(address, bits, 'ipv4');
      else six.addSubnet(address, bits, 'ipv6');
      return true;
    },
    has(address) {
      return isIPv4(address) ? four.check(address, 'ipv4') : six.check(address, 'ipv6');
    },
  };
}

function addRule(prefixes: Prefixes, rule: string): void {
  if (addPrefix(prefixes, rule)) return;
  throw new CacheError('config', {
    verb: 'parse ALLOW rule',
    thing: rule,
    reason: 'write an address, a prefix such as 192.168.0.0/16, or loopback, private, local or any',
  });
}

function addPrefix(prefixes: Prefixes, text: string): boolean {
  const [, written = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = plainAddress(written);
  if (length === undefined) return prefixes.add(address, isIPv4(address) ? 32 : 128);
  // RFC 4291 section 2.5.5.2: ::ffff:10.0.0.0/104 is 10.0.0.0/8.
  const mapped = isIPv4(address) && !isIPv4(written);
  return prefixes.add(address, Number(length) - (mapped ? 96 : 0));
}

/** The IPv4 address behind a mapped one, and no zone: both name the same host to the admin. */
function plainAddress(address: string): string {
  const zone = address.indexOf('%');
  const plain = zone === -1 ? address : address.slice(0, zone);
  if (!/^[0:]+:ffff:/i.test(plain) || isIP(plain) !== 6) return plain;
  const canonical = new SocketAddress({ address: plain, family: 'ipv6' }).address;
  const tail = canonical.slice('::ffff:'.length);
  return canonical.startsWith('::ffff:') && isIPv4(tail) ? tail : plain;
}

function localPrefixes(interfaces: Interfaces, now: () => number): () => Prefixes {
  let readAt = Number.NEGATIVE_INFINITY;
  let prefixes = createPrefixes();
  return () => {
    if (now() - readAt < interfacesKeptFor) return prefixes;
    readAt = now();
    prefixes = readOnLink(interfaces);
    return prefixes;
  };
}

function readOnLink(interfaces: Interfaces): Prefixes {
  const prefixes = createPrefixes();
  for (const { cidr } of addressesOf(interfaces)) {
    // A prefix of no bits is a route to everywhere, as on some tunnels, and no neighbourhood.
    if (cidr !== null && !cidr.endsWith('/0')) addPrefix(prefixes, cidr);
  }
  return prefixes;
}

function addressesOf(interfaces: Interfaces): readonly NetworkInterfaceInfo[] {
  try {
    return Object.values(interfaces()).flatMap((addresses) => addresses ?? []);
  } catch {
    // A service that may not use AF_NETLINK (systemd's RestrictAddressFamilies) is told nothing.
    return [];
  }
}
