import { readFile } from 'node:fs/promises';
import { addCounters, type Counters, createCounters } from '../stats.ts';
import { replaceFile } from './durable.ts';

const FORMAT = 1;

/** The counters of former runs, as `stats.json` keeps them. */
export interface KeptStats {
  /** When counting began, ISO 8601. */
  readonly since: string;
  readonly lifetime: Counters;
}

/** What earlier runs counted; a file that is missing or spoilt starts a new count. */
export async function readStats(path: string): Promise<KeptStats> {
  try {
    const kept = JSON.parse(await readFile(path, 'utf8')) as Partial<KeptStats>;
    if (typeof kept.since !== 'string' || kept.lifetime === undefined) return freshStats();
    return { since: kept.since, lifetime: addCounters(kept.lifetime, {}) };
  } catch {
    return freshStats();
  }
}

/** Keeps the counters for the next run. */
export async function writeStats(path: string, stats: KeptStats): Promise<void> {
  await replaceFile(path, `${JSON.stringify({ format: FORMAT, ...stats }, undefined, 2)}\n`);
}

function freshStats(): KeptStats {
  return { since: new Date().toISOString(), lifetime: createCounters() };
}
