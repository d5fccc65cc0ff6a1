import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** The two ends of the wire between this machine and a host. */
export interface Wired {
  /** Where the host is. */
  readonly address: string;
  /** Where the host finds this machine. */
  readonly machine: string;
}

/** Lays a wire between this machine and a host, which is gone with the host. */
export async function connectHost(pid: number): Promise<Wired> {
  const name = `pc${pid}`;
  await ip(`link add ${name} type veth peer name eth0 netns ${pid}`);
  // No two links have one index: so no two wires share addresses, whoever lays them.
  const index = Number(await readFile(`/sys/class/net/${name}/ifindex`, 'latin1'));
  const [machine, address] = [addressOf(index * 4 + 1), addressOf(index * 4 + 2)];
  await ip(`address add ${machine}/30 dev ${name}`);
  await ip(`link set ${name} up`);
  const inside = ['--target', String(pid), '--net', 'ip'];
  for (const args of [`address add ${address}/30 dev eth0`, 'link set eth0 up']) {
    await promisify(execFile)('nsenter', [...inside, ...args.split(' ')]);
  }
  return { machine, address };
}

/** In 198.18.0.0/15, which is for tests of networks (RFC 2544). */
function addressOf(number: number): string {
  return ['198', 18 + ((number >> 16) & 1), (number >> 8) & 255, number & 255].join('.');
}

async function ip(args: string): Promise<void> {
  await promisify(execFile)('ip', args.split(' '));
}
