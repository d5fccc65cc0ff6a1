import type { ControlContext } from '../context.ts';
import { cacheReport, countsReport, degradations, downloadReports } from '../facts.ts';
import type { StatsReply, TopReply } from '../reports.ts';

/** What was served, what is stored, and what a cull would free. */
export function stats({ serve, budget, startedAt, lifetime }: ControlContext): StatsReply {
  const { since, counters } = lifetime();
  const { entries, bytes, correctedAt, ages, reclaimable } = budget.census.report();
  return {
    sinceStart: countsReport(startedAt, serve.counters),
    lifetime: countsReport(since, counters),
    entries,
    bytes,
    countedAt: correctedAt ?? null,
    ages,
    reclaimable,
  };
}

/** One frame of the live screen. */
export async function top(context: ControlContext): Promise<TopReply> {
  return {
    at: Date.now(),
    clients: context.server.connections(),
    counts: countsReport(context.startedAt, context.serve.counters),
    downloads: downloadReports(context),
    cache: await cacheReport(context),
    degraded: degradations(context),
  };
}
