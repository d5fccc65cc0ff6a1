import type { ManifestsReport } from '../daemon/control/manifests-report.ts';
import type { CacheReport, SourcesReply, StatusReply } from '../daemon/control/reports.ts';
import type { RepositoryReport, SourceReport } from '../daemon/control/source-report.ts';
import { formatCount, formatSize } from '../daemon/units.ts';
import type { Paint } from './paint.ts';
import { pairs, table } from './table.ts';
import type { Wording } from './wording.ts';
import { ago, moment, percent, plural, span } from './words.ts';

/** `status` for people. */
export function wordStatus(reply: StatusReply, { paint, now }: Wording): string {
  const { version, pid, startedAt, cache, manifests, degraded } = reply;
  const state = degraded.length === 0 ? paint.good('runs') : paint.warn('runs, but');
  const head = `${paint.title('package-cache')} ${version} ${state}`;
  const facts = pairs([
    ['  up since', `${moment(startedAt)} (${span(now - startedAt)}), pid ${pid}`],
    ['  configuration', reply.configFile ?? 'no file, the command line and the defaults'],
    ['  listening on', reply.addresses.join(' ')],
    ['  control socket', reply.controlSocket],
    ['  delivery', reply.delivery === 'sendfile' ? 'sendfile' : 'reads and writes'],
    ['  log level', reply.logLevel],
    ['  cache', wordCache(cache)],
    ['  disk', wordDisk(cache)],
    ...(manifests === null ? [] : [['  manifests', wordManifests(manifests, now)] as const]),
    ['  now', `${plural(reply.downloads, 'download')}, ${plural(reply.clients, 'client')}`],
  ]);
  const sources = wordRepositories(reply.repositories, { paint, now });
  const trees = manifests === null ? '' : wordTrees(manifests, paint);
  return `${[`${head}${wordDegraded(degraded, paint)}`, facts, sources].join('\n')}${trees}`;
}

/** `sources` for people. */
export function wordSources({ repositories }: SourcesReply, { paint, now }: Wording): string {
  const rows = repositories.flatMap(({ path, sources }) =>
    sources.map((source, index) => [
      index === 0 ? path : '',
      wordState(source, { paint, now }),
      source.state === 'idle' ? '-' : span(now - source.since),
      source.latency === null ? '-' : `${Math.round(source.latency)} ms`,
      formatSize(source.bytes),
      source.url,
    ]),
  );
  const columns = [
    { heading: 'PATH' },
    { heading: 'STATE' },
    { heading: 'FOR', align: 'right' },
    { heading: 'LATENCY', align: 'right' },
    { heading: 'BYTES', align: 'right' },
    { heading: 'SOURCE' },
  ] as const;
  return table(columns, rows) + wordReasons(repositories, paint);
}

/** The entries and the limit, in one line. */
export function wordCache({ directory, entries, bytes, maxSize }: CacheReport): string {
  const limit = maxSize === null ? '' : ` of at most ${formatSize(maxSize)}`;
  return `${directory}: ${plural(entries, 'file')}, ${formatSize(bytes)}${limit}`;
}

/** What the disk has left, in one line. */
export function wordDisk({ diskSize, diskFree, minFree, storing }: CacheReport): string {
  if (diskSize === null || diskFree === null) return 'it does not answer';
  const kept = minFree === null || minFree === 0 ? '' : `, ${formatSize(minFree)} stay free`;
  const share = percent(diskFree, diskSize);
  const free = `${formatSize(diskFree)} free of ${formatSize(diskSize)} (${share})${kept}`;
  return storing ? free : `${free}; nothing is stored`;
}

/** What is not as it should be, a line each below a colon; a full stop when all is well. */
function wordDegraded(degraded: readonly string[], paint: Paint): string {
  if (degraded.length === 0) return ', all is well.\n';
  return `:\n${degraded.map((sentence) => `  ${paint.warn('!')} ${sentence}\n`).join('')}`;
}

function wordRepositories(repositories: readonly RepositoryReport[], wording: Wording): string {
  const rows = repositories.flatMap(({ path, sources }) =>
    sources.map((source, index) => [
      `  ${index === 0 ? path : ''}`,
      source.url,
      wordState(source, wording) + wordWhy(source, wording),
    ]),
  );
  const columns = [{ heading: '  PATH' }, { heading: 'SOURCE' }, { heading: 'STATE' }];
  return table(columns, rows);
}

function wordManifests({ digests, files, readAt }: ManifestsReport, now: number): string {
  if (readAt === null) return 'not read yet';
  const known = `${plural(digests, 'digest')} of ${plural(files, 'file')}`;
  return `${known}, looked through ${ago(readAt, now)}`;
}

function wordTrees({ repositories }: ManifestsReport, paint: Paint): string {
  const rows = repositories.map(({ path, manifests, digests, malformed, problem }) => [
    `  ${path}`,
    formatCount(manifests),
    formatCount(digests),
    problem === null ? paint.good('read') : paint.warn('see above'),
    malformed === 0 ? '' : `${plural(malformed, 'malformed line')} passed over`,
  ]);
  const columns = [
    { heading: '  MANIFESTS OF' },
    { heading: 'PACKAGES', align: 'right' },
    { heading: 'DIGESTS', align: 'right' },
    { heading: 'STATE' },
    { heading: '' },
  ] as const;
  return rows.length === 0 ? '' : `\n${table(columns, rows)}`;
}

/** The state of a source in a word, and for how long it is set aside. */
export function wordState({ state, retryAt }: SourceReport, { paint, now }: Wording): string {
  if (state === 'works') return paint.good('works');
  if (state === 'idle') return paint.faint('not asked yet');
  if (state === 'failing') return paint.warn('failing');
  const left = retryAt === null || retryAt <= now ? '' : ` for ${span(retryAt - now)}`;
  return paint.bad(`set aside${left}`);
}

function wordWhy({ state, reason, since }: SourceReport, { now }: Wording): string {
  if (reason === null || state === 'works' || state === 'idle') return '';
  return `, since ${ago(since, now)}: ${reason}`;
}

function wordReasons(repositories: readonly RepositoryReport[], paint: Paint): string {
  const failing = repositories
    .flatMap(({ sources }) => sources)
    .filter(({ state, reason }) => reason !== null && (state === 'aside' || state === 'failing'));
  const lines = failing.map(
    ({ url, reason, failures }) =>
      `${paint.bad('!')} ${url}: ${reason} (${plural(failures, 'failure')})\n`,
  );
  return lines.length === 0 ? '' : `\n${lines.join('')}`;
}
