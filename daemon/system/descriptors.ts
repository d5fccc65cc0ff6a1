import { readFile } from 'node:fs/promises';

/** What POSIX grants every process (_POSIX_OPEN_MAX is less still), for where nothing tells. */
const FEW = 256;

/** How many files this process may have open; Node has raised the limit as far as it goes. */
export async function descriptorLimit(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(limits) ?? [];
  if (soft === 'unlimited') return Number.MAX_SAFE_INTEGER;
  return soft === undefined ? FEW : Number(soft);
}
