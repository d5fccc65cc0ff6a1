import type { Upkeep } from '../../serve/upkeep.ts';
import type { ControlContext } from '../context.ts';
import { cacheReport, countsReport, degradations, downloadReports } from '../facts.ts';
import type { StatsReply, TopReply } from '../reports.ts';

/** What was served, what is stored, and what a cull would free. */
export function stats(context: ControlContext): StatsReply {
  const { serve, budget, upkeep, startedAt, lifetime } = context;
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
    verification: verificationReport(upkeep),
  };
}

function verificationReport({ verification }: Upkeep): StatsReply['verification'] {
  const last = verification.last();
  if (last === undefined) return null;
  const { at, verified, bytes, wrong, repaired } = last;
  return { at, entries: verified, bytes, wrong, repaired };
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
