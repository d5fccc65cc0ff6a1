import type {
  AskedSource,
  DigestReport,
  DownloadReport,
  DownloadsReply,
  OutcomeReport,
  StoredReport,
  WhyReply,
} from '../daemon/control/reports.ts';
import { formatCount, formatSize } from '../daemon/units.ts';
import { wordState } from './report-status.ts';
import { pairs, table } from './table.ts';
import type { Wording } from './wording.ts';
import { ago, moment, plural, rate, remaining, span } from './words.ts';

/** `downloads` for people. */
export function wordDownloads({ downloads, cancelled }: DownloadsReply): string {
  const given = cancelled === null ? '' : `Gave up the download of ${cancelled}.\n`;
  if (downloads.length === 0) return `${given}Nothing is being downloaded.\n`;
  return given + table(downloadColumns, downloads.map(downloadCells));
}

/** The columns of a table of downloads; the path comes last, as it may be long. */
export const downloadColumns = [
  { heading: 'DONE', align: 'right' },
  { heading: 'BYTES', align: 'right' },
  { heading: 'OF', align: 'right' },
  { heading: 'RATE', align: 'right' },
  { heading: 'LEFT', align: 'right' },
  { heading: 'CLIENTS', align: 'right' },
  { heading: 'SOURCE' },
  { heading: 'PATH' },
] as const;

/** One row of it. */
export function downloadCells(download: DownloadReport): readonly string[] {
  const { path, state, source, bytes, length, eta, clients } = download;
  const share = length === null || length === 0 ? undefined : bytes / length;
  return [
    state === 'streaming' ? (share === undefined ? '?' : `${Math.floor(share * 100)} %`) : state,
    formatSize(bytes),
    length === null ? '?' : formatSize(length),
    download.rate === null ? '-' : rate(download.rate),
    remaining(eta ?? undefined),
    String(clients),
    source === null ? '-' : hostOf(source),
    path,
  ];
}

/** `why` for people: the path's name, its copy, and where it would come from. */
export function wordWhy(reply: WhyReply, wording: Wording): string {
  const { paint } = wording;
  const facts: [string, string][] = [
    ['  key', reply.key],
    ['  repository', reply.repository === '' ? 'the root' : reply.repository],
    ['  kind', wordKind(reply)],
    ['  stored', wordStored(reply.entry, wording)],
  ];
  if (reply.entry !== null) {
    facts.push(...wordEntry({ ...reply.entry, mutable: reply.mutable }, wording));
  }
  for (const digest of reply.digests) facts.push(['  by a Manifest', wordDigest(digest)]);
  if (reply.download !== null) facts.push(['  download', wordDownload(reply.download)]);
  if (reply.missing) {
    facts.push(['  missing', 'every source said so a moment ago, and is not asked again just yet']);
  }
  facts.push(['  last download', wordOutcome(reply.last, wording)]);
  return `${paint.title(reply.path)}\n${pairs(facts)}\n${wordAsked(reply.sources, wording)}`;
}

const owners = {
  IMMUTABLE: 'by IMMUTABLE',
  MUTABLE: 'by MUTABLE',
  'built-in': 'built in',
  default: 'the default',
} as const;

function wordKind({ pass, mutable, rule, ruleFrom }: WhyReply): string {
  if (pass) return 'passed on, never stored: a directory or a query';
  const what = mutable ? 'mutable, checked with its source' : 'immutable, never checked again';
  return `${what} (${rule}, ${owners[ruleFrom]})`;
}

function wordStored(entry: StoredReport | null, { now }: Wording): string {
  if (entry === null) return 'no';
  return `${formatSize(entry.size)}, last used ${ago(entry.lastUse, now)}`;
}

function wordEntry(
  { file, modified, checked, freshUntil, source, mutable }: StoredReport & { mutable: boolean },
  { now }: Wording,
): [string, string][] {
  const rows: [string, string][] = [
    ['  file', file],
    ['  modified', moment(modified)],
  ];
  if (source !== null) rows.push(['  came from', source]);
  if (!mutable) return rows;
  const fresh = freshUntil !== null && freshUntil > now;
  const next = fresh ? `asked again in ${span(freshUntil - now)}` : 'asked at the next request';
  rows.push(['  checked', `${checked === null ? 'never' : ago(checked, now)}, ${next}`]);
  return rows;
}

function wordDigest({ size, algorithm, hash }: DigestReport): string {
  const name = algorithm === 'blake2b512' ? 'BLAKE2B' : 'SHA512';
  return `${formatCount(size)} bytes, ${name} ${hash.slice(0, 16)}…`;
}

function wordDownload({ state, bytes, length, source, clients }: DownloadReport): string {
  const of = length === null ? '' : ` of ${formatSize(length)}`;
  const from = source === null ? '' : ` from ${hostOf(source)}`;
  return `${state}, ${formatSize(bytes)}${of}${from}, ${plural(clients, 'client')}`;
}

function wordOutcome(last: OutcomeReport | null, { now }: Wording): string {
  if (last === null) return 'none since the start';
  const { at, outcome, source, bytes, reason } = last;
  const size = bytes > 0 ? `, ${formatSize(bytes)}` : '';
  const from = source === null ? '' : ` from ${hostOf(source)}`;
  return `${ago(at, now)}: ${outcome}${size}${from}${reason === null ? '' : `: ${reason}`}`;
}

function wordAsked(sources: readonly AskedSource[], wording: Wording): string {
  if (sources.length === 0) return 'No source would be asked.\n';
  const rows = sources.map((source, index) => [
    `  ${index + 1}.`,
    source.asks,
    wordState(source, wording) + (source.reason === null ? '' : `: ${source.reason}`),
  ]);
  const blank = { heading: '' };
  return `Asked in this order:\n${table([blank, blank, blank], rows)}`;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
