import type { AgeReport, CountsReport, StatsReply } from '../daemon/control/reports.ts';
import { formatCount, formatSize } from '../daemon/units.ts';
import { wordWrong } from './report-content.ts';
import { table } from './table.ts';
import type { Wording } from './wording.ts';
import { ago, amount, bar, moment, percent } from './words.ts';

const BAR = 24;

/** `stats` for people: what it did, what it holds, and what a cull would free. */
export function wordStats(reply: StatsReply, wording: Wording): string {
  return [wordCounts(reply, wording), wordHoldings(reply, wording), wordAges(reply, wording)].join(
    '\n',
  );
}

type Counted = (counts: CountsReport) => string;

const lines: readonly (readonly [name: string, value: Counted])[] = [
  ['requests', ({ requests }) => formatCount(requests)],
  ['  hits', ({ hits }) => formatCount(hits)],
  ['  misses', ({ misses }) => formatCount(misses)],
  ['  collapsed', ({ collapsed }) => formatCount(collapsed)],
  ['  revalidated', ({ revalidated }) => formatCount(revalidated)],
  ['  stale', ({ stale }) => formatCount(stale)],
  ['  passed', ({ passed }) => formatCount(passed)],
  ['  errors', ({ errors }) => formatCount(errors)],
  ['hit ratio by requests', ({ hitRatio }) => ratio(hitRatio)],
  ['hit ratio by bytes', ({ byteHitRatio }) => ratio(byteHitRatio)],
  ['served', ({ bytesServed }) => formatSize(bytesServed)],
  ['fetched', ({ bytesFetched }) => formatSize(bytesFetched)],
  ['saved', ({ bytesSaved }) => formatSize(bytesSaved)],
  ['downloads stored', ({ fills }) => formatCount(fills)],
  ['downloads failed', ({ fillsFailed }) => formatCount(fillsFailed)],
];

function ratio(value: number | null): string {
  return value === null ? '-' : percent(value, 1);
}

function wordCounts({ sinceStart, lifetime }: StatsReply, { paint }: Wording): string {
  const columns = [
    { heading: paint.title('Counted') },
    { heading: 'THIS RUN', align: 'right' },
    { heading: 'LIFETIME', align: 'right' },
  ] as const;
  const rows = lines.map(([name, value]) => [name, value(sinceStart), value(lifetime)]);
  const since = ['since', moment(sinceStart.since), moment(lifetime.since)];
  return table(columns, [since, ...rows]);
}

function wordHoldings(reply: StatsReply, { paint, now }: Wording): string {
  const { entries, bytes, countedAt, verification } = reply;
  const counted =
    countedAt === null ? 'no walk has counted them yet' : `counted ${ago(countedAt, now)}`;
  const stored = `${paint.title('Stored')}  ${amount({ entries, bytes })} (${counted})\n`;
  if (verification === null) return stored;
  const { at, wrong, repaired } = verification;
  const found = `${amount(verification)}, ${ago(at, now)}; ${wordWrong(wrong, repaired)}`;
  return `${stored}${paint.title('Verified')}  ${found}\n`;
}

// Every row tells what its own age holds, and what culling at its younger end would free: the bars
// show where the bytes are, the last columns what each N would do about it.
function wordAges({ ages, bytes }: StatsReply, { paint }: Wording): string {
  const most = Math.max(1, ...ages.map((age) => age.bytes));
  const rows = ages.map((age, index) => {
    const older = ages.slice(index).reduce((sum, each) => sum + each.bytes, 0);
    const cullable = age.from !== '0';
    return [
      `  ${wordAge(age)}`,
      formatCount(age.entries),
      formatSize(age.bytes),
      paint.good(bar(age.bytes / most, BAR).padEnd(BAR)),
      cullable ? age.from : '',
      cullable ? formatSize(older) : '',
      cullable ? percent(older, bytes) : '',
    ];
  });
  const columns = [
    { heading: paint.title('Last used') },
    { heading: 'FILES', align: 'right' },
    { heading: 'SIZE', align: 'right' },
    { heading: '' },
    { heading: 'CULL --older-than', align: 'right' },
    { heading: 'FREES', align: 'right' },
    { heading: '', align: 'right' },
  ] as const;
  return table(columns, rows);
}

function wordAge({ from, to }: AgeReport): string {
  if (to === null) return `${from} ago or more`;
  return from === '0' ? `less than ${to} ago` : `${from} to ${to} ago`;
}
