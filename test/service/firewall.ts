import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { root } from '../helpers/process.ts';
import { needs } from '../helpers/programs.ts';
import { type Machine, type Network, openNetwork } from './network.ts';

/** How to print all that a firewall holds. */
const firewalls = {
  iptables: 'iptables-save -t nat && ip6tables-save -t nat',
  nftables: 'nft -s list ruleset',
} as const;
export type Firewall = keyof typeof firewalls;

/** The script that changes this firewall. */
export function scriptOf(firewall: Firewall): string {
  return join(root, 'contrib', firewall, 'package-cache-dnat');
}

/** The network, for whoever may make one. */
export async function ready(t: ExecutionContext): Promise<Network | undefined> {
  const tools = ['ip', 'iptables', 'ip6tables', 'nft', 'nsenter', 'unshare', 'curl'];
  if (!needs(t, ...tools)) return undefined;
  if (process.getuid?.() === 0) return openNetwork(t);
  t.log('Not tested: only root makes networks');
  t.pass();
  return undefined;
}

/** Runs the script, which must not fail, and returns what it printed. */
export async function dnat({ do: act }: Machine, firewall: Firewall, ...args: readonly string[]) {
  return act('"$@"', scriptOf(firewall), ...args);
}

/** What the machine's firewall holds, without counters and what differs from call to call. */
export async function rulesOf({ do: act }: Machine, firewall: Firewall): Promise<string> {
  const text = await act(firewalls[firewall]);
  return text.replaceAll(/^#.*\n/gm, '').replaceAll(/\[\d+:\d+\]/g, '');
}
