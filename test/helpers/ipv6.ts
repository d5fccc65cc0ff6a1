import { networkInterfaces } from 'node:os';
import type { ExecutionContext } from 'ava';

/** Whether this machine has IPv6; without it, as in some containers, the test passes with a note. */
export function hasIPv6(t: ExecutionContext): boolean {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  if (addresses.some(({ address }) => address === '::1')) return true;
  t.log('Not tested: this machine has no IPv6');
  t.pass();
  return false;
}
