import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { tempDir } from '../helpers/files.ts';
import { Log } from '../helpers/log.ts';
import { type Finished, launch, run } from '../helpers/process.ts';

/** A machine: a network of its own, and files that it shares with all others but for its hosts. */
export interface Machine {
  /** The process that keeps it. */
  readonly pid: number;
  /** Runs a command line of a shell's in it; `$1` and on are the arguments. */
  sh(script: string, ...args: readonly string[]): Promise<Finished>;
  /** The same, for what must not fail; resolves to what it printed. */
  do(script: string, ...args: readonly string[]): Promise<string>;
}

/**
 * A router with three networks. Client and cache are in one, so that the cache can answer the
 * client past the router; the guest is in another; the mirror is on the other side of the world.
 * All are gone with the test, however that ends.
 */
export interface Network {
  readonly router: Machine;
  readonly client: Machine;
  readonly cache: Machine;
  readonly guest: Machine;
  readonly mirror: Machine;
  /** `GET /path from ADDRESS`, for each request that reached the mirror. */
  readonly asked: () => readonly string[];
}

/** Each machine's addresses; the router has the first of each network. */
export const addresses = {
  client: ['192.168.7.2', 'fd07::2'],
  cache: ['192.168.7.3', 'fd07::3'],
  guest: ['192.168.8.2', 'fd08::2'],
  mirror: ['203.0.113.80', '2001:db8:80::80'],
  /** The mirror's, too, under another name. */
  other: ['203.0.113.81', '2001:db8:80::81'],
} as const;

const hosts = `${addresses.mirror[0]} mirror.example.org
${addresses.mirror[1]} mirror.example.org
${addresses.other[0]} other.example.org
${addresses.other[1]} other.example.org
${addresses.other[1]} six.example.org
`;

/** The system's programs alone: npm puts its own first, and one of them is called nft. */
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

// No address waits for the answer that nobody has it already.
const wire = `ip link add "$1" netns "$2" type veth peer name eth0 netns "$3"`;
const plug = `${wire} && nsenter -t "$2" -n ip link set "$1" master lan up`;
const settle = 'ip link set lo up && ip link set eth0 up';
const give = 'for a in "$@"; do ip addr add "$a" dev eth0 nodad; done';

/** Sets up the machines and starts the mirror; needs root. */
export async function openNetwork(t: ExecutionContext): Promise<Network> {
  const hostsFile = join(await tempDir(t), 'hosts');
  await writeFile(hostsFile, hosts);
  const open = () => openMachine(t, hostsFile);
  const [router, client, cache] = [await open(), await open(), await open()];
  const [guest, mirror] = [await open(), await open()];
  await router.do('ip link set lo up && ip link add lan type bridge && ip link set lan up');
  await router.do(plug, 'client', String(router.pid), String(client.pid));
  await router.do(plug, 'cache', String(router.pid), String(cache.pid));
  await router.do(wire, 'guests', String(router.pid), String(guest.pid));
  await router.do(wire, 'world', String(router.pid), String(mirror.pid));
  await router.do(`for a in 192.168.7.1/24 fd07::1/64; do ip addr add $a dev lan nodad; done
    for a in 192.168.8.1/24 fd08::1/64; do ip addr add $a dev guests nodad; done
    for a in 203.0.113.1/24 2001:db8:80::1/64; do ip addr add $a dev world nodad; done
    ip link set guests up && ip link set world up
    echo 1 >/proc/sys/net/ipv4/ip_forward && echo 1 >/proc/sys/net/ipv6/conf/all/forwarding`);
  await settleHost(client, ['192.168.7.2/24', 'fd07::2/64'], ['192.168.7.1', 'fd07::1']);
  await settleHost(cache, ['192.168.7.3/24', 'fd07::3/64'], ['192.168.7.1', 'fd07::1']);
  await settleHost(guest, ['192.168.8.2/24', 'fd08::2/64'], ['192.168.8.1', 'fd08::1']);
  const all = [...addresses.mirror, ...addresses.other];
  const ofMirror = all.map((address) => `${address}/${address.includes(':') ? 64 : 24}`);
  await settleHost(mirror, ofMirror, ['203.0.113.1', '2001:db8:80::1']);
  const asked = await startMirror(t, mirror);
  return { router, client, cache, guest, mirror, asked };
}

async function settleHost(
  machine: Machine,
  own: readonly string[],
  gateways: readonly string[],
): Promise<void> {
  await machine.do(settle);
  await machine.do(give, ...own);
  await machine.do('for g in "$@"; do ip route add default via "$g"; done', ...gateways);
}

async function openMachine(t: ExecutionContext, hostsFile: string): Promise<Machine> {
  // The shell lives as long as its input is open, and the machine as long as the shell.
  const script = 'mount --bind "$1" /etc/hosts && echo up && read -r _';
  const shell = spawn('unshare', ['-n', '-m', 'sh', '-c', script, 'sh', hostsFile], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(shell, 'exit');
  t.teardown(async () => {
    shell.stdin.end();
    await exited;
  });
  await Promise.race([once(shell.stdout, 'data'), exited.then(([code]) => refuse(code))]);
  const pid = shell.pid ?? -1;
  const sh = (text: string, ...args: readonly string[]) =>
    run('sh', { args: ['-c', text, 'sh', ...args], env: { PATH }, inside: pid, within: 30_000 });
  const must = async (text: string, ...args: readonly string[]) => {
    const { code, stdout, stderr } = await sh(text, ...args);
    if (code !== 0) throw new Error(`${text} ended with ${code}: ${stderr}`);
    return stdout;
  };
  return { pid, sh, do: must };
}

function refuse(code: unknown): never {
  throw new Error(`A machine ended with ${code} before it was up`);
}

async function startMirror(t: ExecutionContext, { pid }: Machine): Promise<Network['asked']> {
  const log = new Log();
  const args = [join(import.meta.dirname, 'mirror.ts')];
  const running = launch(process.execPath, { args, inside: pid, onLine: (line) => log.add(line) });
  log.follow(running.exited);
  t.teardown(async () => {
    running.signal('SIGTERM');
    await running.exitWithin(3000);
  });
  await log.find(/^listening$/);
  return () => log.lines().filter((line) => line.startsWith('GET '));
}
