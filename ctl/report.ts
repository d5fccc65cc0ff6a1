import type { FetchReply, VerifyReply } from '../daemon/control/content-reports.ts';
import type {
  EntryRow,
  FetchRow,
  ListRow,
  ProblemReport,
  VerifyRow,
} from '../daemon/control/messages.ts';
import type { CommandName } from '../daemon/control/protocol.ts';
import type {
  CullReply,
  DownloadsReply,
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
import {
  wordFetch,
  wordFetchRow,
  wordImport,
  wordUnrepaired,
  wordVerify,
  wordVerifyRow,
} from './report-content.ts';
import { wordDownloads, wordWhy } from './report-downloads.ts';
import {
  entryHeading,
  listHeading,
  wordCull,
  wordEntryRow,
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
export type Row = EntryRow | ListRow | FetchRow | VerifyRow;

interface Replies {
  readonly status: StatusReply;
  readonly stats: StatsReply;
  readonly reload: ReloadReply;
  readonly cull: CullReply;
  readonly ls: ListReply;
  readonly purge: PurgeReply;
  readonly verify: VerifyReply;
  readonly fetch: FetchReply;
  readonly import: FetchReply;
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
  verify: wordVerify,
  fetch: wordFetch,
  import: wordImport,
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
  // What a row holds is decided by the command that it belongs to.
  switch (command) {
    case 'verify':
      return wordVerifyRow(cleaned as VerifyRow, wording);
    case 'fetch':
    case 'import':
      return wordFetchRow(cleaned as FetchRow, wording);
    case 'ls':
      return wordListRow(cleaned as ListRow, wording);
    default:
      return wordEntryRow(cleaned as EntryRow, wording);
  }
}

/** What stands above the first row. */
export function headingOf(command: Reported): string {
  if (command === 'ls') return listHeading;
  return tellsByRow(command) ? '' : entryHeading;
}

/** What went wrong in a command that otherwise did its work, a sentence each. */
export function complaintsOf(
  command: Reported,
  reply: Partial<CullReply & PurgeReply & VerifyReply>,
): string[] {
  const { failed = 0, problems = [], unmatched = [], wrong = 0, repaired = 0 } = clean(reply);
  const verb = command === 'ls' || command === 'verify' ? 'read' : 'remove';
  const told = problems.map(({ path, reason }: ProblemReport) =>
    cannot({ verb, thing: path, reason }),
  );
  const more = failed - problems.length;
  return [
    ...unmatched.map((pattern) =>
      cannot({ verb: command, thing: pattern, reason: 'nothing stored matches' }),
    ),
    ...told,
    ...(wrong > repaired ? [wordUnrepaired(wrong - repaired)] : []),
    ...(more > 0 && command !== 'fetch' && command !== 'import'
      ? [cannot({ verb, thing: `${more} more`, reason: 'see the log' })]
      : []),
  ];
}

/** Whether a reply means that the command failed at what it was asked for. */
export function isFailure(
  command: Reported,
  reply: Partial<PurgeReply & Pick<VerifyReply, 'wrong' | 'repaired'>>,
): boolean {
  const { entries = 0, partials = 0, failed = 0, wrong = 0, repaired = 0 } = reply;
  const isVain = command === 'purge' && entries + partials === 0;
  return failed > 0 || wrong > repaired || isVain;
}

/** The rows say what became of each file, failures too. */
function tellsByRow(command: Reported): boolean {
  return command === 'fetch' || command === 'import' || command === 'verify';
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
