import { describe } from '../errors.ts';
import { addCounters, type Counters, createCounters } from '../stats.ts';
import type { Log } from '../system/log.ts';
import { readText, replaceFile } from './durable.ts';

const FORMAT = 1;
const SAVE_EVERY = 60_000;

/** The counters of former runs, as `stats.json` keeps them. */
export interface KeptStats {
  /** When counting began, ISO 8601. */
  readonly since: string;
  readonly lifetime: Counters;
}

/** What earlier runs counted; a file that is missing or spoilt starts a new count. */
export async function readStats(path: string): Promise<KeptStats> {
  try {
    const kept = JSON.parse(await readText(path)) as Partial<KeptStats>;
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

/** What is counted, and where it is kept. */
export interface StatsOptions {
  readonly path: string;
  /** Of this run. */
  readonly counters: Counters;
  readonly log: Log;
}

/** The counters of all runs. */
export interface LifetimeStats {
  /** All that was ever counted, and since when in milliseconds since the epoch. */
  lifetime(): { readonly since: number; readonly counters: Counters };
  /** Saves for the last time. */
  close(): Promise<void>;
}

/** Goes on with the count of earlier runs, and saves it every minute. */
export async function keepStats({ path, counters, log }: StatsOptions): Promise<LifetimeStats> {
  const kept = await readStats(path);
  const sum = () => addCounters(kept.lifetime, counters);
  const save = () =>
    writeStats(path, { since: kept.since, lifetime: sum() }).catch((error: unknown) =>
      log.warn(`Cannot keep the counters: ${describe(error)}`),
    );
  let saving = Promise.resolve();
  const timer = setInterval(() => {
    saving = save();
  }, SAVE_EVERY);
  return {
    lifetime: () => ({ since: Date.parse(kept.since) || 0, counters: sum() }),
    close: async () => {
      clearInterval(timer);
      await saving;
      await save();
    },
  };
}

function freshStats(): KeptStats {
  return { since: new Date().toISOString(), lifetime: createCounters() };
}
