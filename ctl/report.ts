import type { EntryRow, FetchRow, ListRow, ProblemReport } from '../daemon/control/messages.ts';
import type { CommandName } from '../daemon/control/protocol.ts';
import type {
  CullReply,
  DownloadsReply,
  FetchReply,
  ListReply,
  LogLevelReply,
  PurgeReply,
  ReloadReply,
  SourcesReply,
  StatsReply,
  StatusReply,
  WhyReply,
} from '../daemon/control/reports.ts';
import { printable } from '../daemon/errors.ts';
import { cannot } from './failure.ts';
import { wordDownloads, wordWhy } from './report-downloads.ts';
import {
  entryHeading,
  listHeading,
  wordCull,
  wordEntryRow,
  wordFetch,
  wordFetchRow,
  wordList,
  wordListRow,
  wordPurge,
} from './report-entries.ts';
import { wordStats } from './report-stats.ts';
import { wordSources, wordStatus } from './report-status.ts';
import type { Wording } from './wording.ts';

/** The commands whose answer is one reply, perhaps after rows. */
export type Reported = Exclude<CommandName, 'watch' | 'top'>;

/** A row of any command that sends them. */
export type Row = EntryRow | ListRow | FetchRow;

interface Replies {
  readonly status: StatusReply;
  readonly stats: StatsReply;
  readonly reload: ReloadReply;
  readonly cull: CullReply;
  readonly ls: ListReply;
  readonly purge: PurgeReply;
  readonly fetch: FetchReply;
  readonly downloads: DownloadsReply;
  readonly sources: SourcesReply;
  readonly why: WhyReply;
  readonly 'log-level': LogLevelReply;
}

const worded: { readonly [N in Reported]: (reply: Replies[N], wording: Wording) => string } = {
  status: wordStatus,
  stats: wordStats,
  reload: wordReload,
  cull: wordCull,
  ls: wordList,
  purge: wordPurge,
  fetch: wordFetch,
  downloads: wordDownloads,
  sources: wordSources,
  why: wordWhy,
  'log-level': wordLogLevel,
};

/** A reply as people read it. */
export function wordReply<N extends Reported>(
  { command, reply }: { readonly command: N; readonly reply: Replies[N] },
  wording: Wording,
): string {
  return worded[command](clean(reply), wording);
}

/** A row as people read it. */
export function wordRow(
  { command, row }: { readonly command: Reported; readonly row: Row },
  wording: Wording,
): string {
  const cleaned = clean(row);
  if ('outcome' in cleaned) return wordFetchRow(cleaned, wording);
  return command === 'ls' && 'mutable' in cleaned
    ? wordListRow(cleaned, wording)
    : wordEntryRow(cleaned, wording);
}

/** What stands above the first row. */
export function headingOf(command: Reported): string {
  if (command === 'ls') return listHeading;
  return command === 'fetch' ? '' : entryHeading;
}

/** What went wrong in a command that otherwise did its work, a sentence each. */
export function complaintsOf(command: Reported, reply: Partial<CullReply & PurgeReply>): string[] {
  const { failed = 0, problems = [], unmatched = [] } = clean(reply);
  const verb = command === 'ls' ? 'read' : 'remove';
  const told = problems.map(({ path, reason }: ProblemReport) =>
    cannot({ verb, thing: path, reason }),
  );
  const more = failed - problems.length;
  return [
    ...unmatched.map((pattern) =>
      cannot({ verb: command, thing: pattern, reason: 'nothing stored matches' }),
    ),
    ...told,
    // A fetch tells its failures as rows.
    ...(more > 0 && command !== 'fetch'
      ? [cannot({ verb, thing: `${more} more`, reason: 'see the log' })]
      : []),
  ];
}

/** Whether a reply means that the command failed at what it was asked for. */
export function isFailure(
  command: Reported,
  { entries = 0, partials = 0, failed = 0 }: Partial<PurgeReply>,
): boolean {
  return failed > 0 || (command === 'purge' && entries + partials === 0);
}

/** The same value with every text fit to be shown: no name may steer a terminal. */
export function clean<T>(value: T): T {
  return cleaned(value) as T;
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(cleaned);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, cleaned(each)]));
}

function wordReload({ configFile, live, restart }: ReloadReply): string {
  const file = configFile ?? 'the command line and the defaults';
  const lines = [
    ...(live.length === 0 ? [] : [`In force now: ${live.join(', ')}.`]),
    ...(restart.length === 0 ? [] : [`A restart is needed for: ${restart.join(', ')}.`]),
  ];
  return [`Read ${file}${lines.length === 0 ? '; nothing has changed.' : '.'}`, ...lines, ''].join(
    '\n',
  );
}

function wordLogLevel({ level, former }: LogLevelReply): string {
  return level === former
    ? `The log level is ${level}.\n`
    : `The log level is ${level}; it was ${former}.\n`;
}
