import { isIP } from 'node:net';
import { suggestion } from './nearest.ts';
import { refuse, words } from './refuse.ts';

// A name whose last label is a number is an address with a slip of the pen (WHATWG URL 3.5).
const hostName = /^(?!(?:.*\.)?\d+\.?$)[\w-]+(?:\.[\w-]+)*\.?$/;

const allowWords = ['loopback', 'private', 'local', 'any'] as const;

/** Addresses and host names to listen on, each on its own. */
export function parseHosts(text: string): readonly string[] {
  const hosts = words(text).map(parseHost);
  if (hosts.length === 0) refuse(text, 'write an address');
  for (const [at, host] of hosts.entries()) {
    if (hosts.indexOf(host) !== at) refuse(text, `"${host}" is listed twice`);
    const covered = hosts.find((other) => covers(host, other));
    if (covered !== undefined) refuse(text, `${host} has "${covered}" in it`);
  }
  return hosts;
}

// The kernel gives a port of all addresses and that of one of them to the same program only once.
function covers(host: string, other: string): boolean {
  if (host === other) return false;
  return host === '::' ? isIP(other) !== 0 : host === '0.0.0.0' && isIP(other) === 4;
}

function parseHost(text: string): string {
  if (isIP(text) !== 0) return text;
  if (text === '*') return refuse(text, 'write 0.0.0.0, or :: for IPv6 too');
  if (text.startsWith('[')) return refuse(text, 'write an IPv6 address without brackets');
  if (/^[^:]*:\d*$/.test(text)) return refuse(text, 'the port goes into PORT');
  if (hostName.test(text)) return text;
  return refuse(text, `"${text}" is no address and no host name`);
}

/** Hosts that others may be below: lower case, without dots before and behind. */
export function parseNames(text: string): readonly string[] {
  return words(text).map((word) => {
    if (word.includes(',')) return refuse(text, 'separate hosts with white space');
    if (word === '*') return refuse(text, 'leave out UPSTREAM_PROXY, and none is asked through it');
    const name = word.toLowerCase().replace(/^\.|\.$/g, '');
    if (isIP(name) !== 0 || hostName.test(name)) return name;
    return refuse(text, `"${word}" is no host`);
  });
}

/** A TCP port; 0 takes any that is free. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return port <= 65_535 ? port : refuse(text, 'write a number from 0 to 65535');
}

/** Who may ask: addresses, networks and words, in the order given. */
export function parseAllow(text: string): readonly string[] {
  return words(text).map(parseClient);
}

function parseClient(text: string): string {
  if (allowWords.some((word) => word === text)) return text;
  const [, address = text, length] = /^([^/]*)(?:\/(.*))?$/s.exec(text) ?? [];
  // A zone names an interface of ours, which no remote address can carry.
  const family = address.includes('%') ? 0 : isIP(address);
  if (family !== 0 && (length === undefined || isPrefixLength(length, family))) return text;
  if (family !== 0) return refuse(text, `"${text}": the network's length is 0 to ${bits(family)}`);
  const reason = `"${text}" is no address, no network such as 192.168.0.0/16 and none of`;
  return refuse(text, `${reason} ${allowWords.join(' ')}${suggestion(text, allowWords)}`);
}

function isPrefixLength(text: string, family: number): boolean {
  return /^(?:0|[1-9]\d{0,2})$/.test(text) && Number(text) <= bits(family);
}

function bits(family: number): number {
  return family === 4 ? 32 : 128;
}
