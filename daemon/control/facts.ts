// What several commands tell: the owners' facts, packed for the wire.

import type { RepositoryConfig } from '../config/config.ts';
import { minFreeBytes } from '../config/min-free.ts';
import type { SourceUrl } from '../config/source-url.ts';
import type { FillReport } from '../origin/fill-report.ts';
import type { HealthBook } from '../origin/health.ts';
import { type Counters, gainsOf } from '../stats.ts';
import { formatCount, formatDuration } from '../units.ts';
import type { ControlContext } from './context.ts';
import type { ManifestsReport } from './manifests-report.ts';
import type { ProcessReport } from './process-report.ts';
import type { CacheReport, CountsReport, DownloadReport } from './reports.ts';
import type { RepositoryReport, SourceReport } from './source-report.ts';

/** The cache directory and its disk. */
export async function cacheReport(context: ControlContext): Promise<CacheReport> {
  const { budget, serve, directory, measure } = context;
  const { maxSize = null, minFree } = serve.settings().config;
  const disk = await measure().catch(() => undefined);
  return {
    directory,
    ...budget.census.totals(),
    maxSize,
    minFree: disk === undefined ? null : minFreeBytes(minFree, disk.size),
    diskSize: disk?.size ?? null,
    diskFree: disk?.free ?? null,
    storing: budget.room.state().storing,
  };
}

/** How much of this machine the daemon holds. */
export function processReport(): ProcessReport {
  const { rss, heapUsed, external } = process.memoryUsage();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    resources[kind] = (resources[kind] ?? 0) + 1;
  }
  return { rss, heapUsed, external, resources };
}

/** Every repository with its sources. */
export function repositoryReports({ serve }: ControlContext): readonly RepositoryReport[] {
  const { health } = serve.asking();
  return serve.settings().config.repositories.map(({ name, sources }) => ({
    name,
    path: name === '' ? '/' : `/${name}/`,
    sources: sources.map((source) => sourceReport(source, health)),
  }));
}

/** How a source is doing. */
export function sourceReport(source: SourceUrl, health: HealthBook): SourceReport {
  const { failures, reason = null, since, until, latency = null, bytes } = health.of(source);
  const aside = health.isSetAside(source);
  const asked = latency !== null || failures > 0;
  const failing = aside ? 'aside' : 'failing';
  return {
    url: source.url,
    state: failures > 0 ? failing : asked ? 'works' : 'idle',
    reason,
    since,
    retryAt: aside ? until : null,
    failures,
    latency,
    bytes,
  };
}

/** What is known of distfiles; null when nothing is to be. */
export function manifestsReport({ serve }: ControlContext): ManifestsReport | null {
  const { repositories, readAt = null, problem = null, ...counts } = serve.manifests.report();
  if (serve.settings().config.manifests.length === 0) return null;
  return {
    ...counts,
    readAt,
    repositories: repositories.map((one) => ({ ...one, problem: one.problem ?? null })),
    problem,
  };
}

/** What is not as it should be, a sentence each. */
export function degradations(context: ControlContext): readonly string[] {
  const { budget, serve, pending } = context;
  const room = budget.room.state();
  const keys = pending();
  return [
    ...(room.storing ? [] : [`files are passed on and not stored: ${room.reason}`]),
    ...serve.settings().config.repositories.flatMap((one) => sickness(one, context)),
    ...unreadManifests(context),
    ...wrongness(context),
    ...(keys.length === 0 ? [] : [`a restart is needed for ${keys.join(', ')}`]),
  ];
}

/** One line for a service manager: what goes on, and what is not as it should be. */
export function summary(context: ControlContext): string {
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;
  const downloads = count(context.serve.fills.all().length, 'download');
  const clients = count(context.server.connections(), 'client');
  return [`${downloads}, ${clients}`, ...degradations(context)].join('; ');
}

function sickness(
  { name, sources }: RepositoryConfig,
  { serve }: ControlContext,
): readonly string[] {
  const { health } = serve.asking();
  if (sources.some((source) => !health.isSetAside(source))) return [];
  const what = name === '' ? 'SOURCES' : `SOURCES_${name}`;
  return [`no source of ${what} works: only what is stored can be served`];
}

function unreadManifests(context: ControlContext): readonly string[] {
  const { problem = null, repositories = [] } = manifestsReport(context) ?? {};
  return [problem, ...repositories.map((one) => one.problem)].filter((one) => one !== null);
}

function wrongness({ upkeep }: ControlContext): readonly string[] {
  const { left = 0, at = 0 } = upkeep.verification.last() ?? {};
  if (left === 0) return [];
  const files = left === 1 ? '1 file was' : `${formatCount(left)} files were`;
  const found = `${files} not what the Manifests say, ${formatDuration(Date.now() - at)} ago`;
  return [`${found}; package-cache-ctl verify --repair replaces such`];
}

/** What was counted, and what it comes to. */
export function countsReport(since: number, counters: Counters): CountsReport {
  return { since, ...counters, ...gainsOf(counters) };
}

/** Every download in progress, the oldest first. */
export function downloadReports({ serve }: ControlContext): readonly DownloadReport[] {
  return serve.fills
    .all()
    .map((fill) => fill.report())
    .flatMap((report) => downloadReport(report) ?? [])
    .toSorted((left, right) => left.startedAt - right.startedAt);
}

/** One download; undefined for one that is over. */
export function downloadReport(report: FillReport): DownloadReport | undefined {
  const { key, state, source = null, length = null, rate, eta } = report;
  const { startedAt, bytes, clients } = report;
  if (state === 'done' || state === 'failed') return undefined;
  return {
    path: key,
    state,
    source,
    startedAt,
    bytes,
    length,
    rate: rate === undefined ? null : Math.round(rate),
    eta: eta === undefined ? null : Math.round(eta),
    clients,
  };
}
