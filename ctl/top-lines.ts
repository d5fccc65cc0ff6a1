import type { DownloadReport, TopReply } from '../daemon/control/reports.ts';
import { formatCount, formatSize } from '../daemon/units.ts';
import type { Paint } from './paint.ts';
import { downloadCells, downloadColumns } from './report-downloads.ts';
import { cut, cutStart, table, width } from './table.ts';
import { bar, clock, percent, plural, rate, span } from './words.ts';

/** The latest replies, the oldest first. */
export type Frames = readonly TopReply[];

/** How the picture is to be drawn. */
export interface Canvas {
  readonly paint: Paint;
  readonly columns: number;
  readonly rows: number;
  /** Of the daemon. */
  readonly version: string;
}

const BAR = 12;
/** With fewer columns the bars give way to the paths. */
const WIDE = 96;

/** The picture: what flows, what is stored, what is wrong, and the downloads. */
export function topLines(frames: Frames, canvas: Canvas): readonly string[] {
  const last = frames.at(-1);
  if (last === undefined) return [];
  const { paint, columns, rows } = canvas;
  const within = (line: string) => cut(line, columns);
  const above = [
    paint.title(within(titleLine(last, canvas))),
    '',
    ...flowLines(frames).map(within),
    within(storeLine(last)),
    ...last.degraded.map((sentence) => paint.warn(within(`! ${sentence}`))),
    '',
  ];
  const [heading = '', ...downloads] = downloadLines(last.downloads, columns).map(within);
  const room = Math.max(0, rows - above.length - 2);
  const hidden = downloads.length - room;
  const shown = hidden > 0 ? downloads.slice(0, Math.max(0, room - 1)) : downloads;
  const more = hidden > 0 ? [`… and ${formatCount(downloads.length - shown.length)} more`] : [];
  const body = [...shown, ...more.map(within)];
  const gap = Array.from({ length: Math.max(0, room - body.length) }, () => '');
  return [...above, paint.title(heading), ...body, ...gap, paint.faint(within('q leaves'))];
}

function titleLine({ at, counts }: TopReply, { version, columns }: Canvas): string {
  const left = `package-cache ${version}, up ${span(at - counts.since)}`;
  const right = clock(at);
  return `${left}${right.padStart(Math.max(right.length + 2, columns - left.length))}`;
}

// Rates are differences between the first frame that is kept and the last one.
function flowLines(frames: Frames): string[] {
  const [first, last] = [frames[0], frames.at(-1)];
  if (first === undefined || last === undefined) return [];
  const seconds = (last.at - first.at) / 1000;
  const grown = (name: 'requests' | 'hits' | 'bytesServed' | 'bytesFetched') =>
    last.counts[name] - first.counts[name];
  const perSecond = (number: number) => (seconds > 0 ? number / seconds : 0);
  const { hitRatio, byteHitRatio } = last.counts;
  const requests = perSecond(grown('requests'));
  // Of fixed width: numbers that change must not push the others about.
  const line = (...cells: readonly (readonly [name: string, value: string])[]) =>
    cells.map(([name, value]) => `${name.padEnd(8)} ${value.padStart(8)}`).join('   ');
  return [
    line(
      ['Requests', `${requests < 10 ? requests.toFixed(1) : formatCount(requests)}/s`],
      ['Served', rate(perSecond(grown('bytesServed')))],
      ['Fetched', rate(perSecond(grown('bytesFetched')))],
    ),
    line(
      ['Hits now', percent(grown('hits'), grown('requests'))],
      ['of all', ratio(hitRatio)],
      ['of bytes', ratio(byteHitRatio)],
    ),
  ];
}

function ratio(value: number | null): string {
  return value === null ? '-' : percent(value, 1);
}

function storeLine({ cache, clients, downloads }: TopReply): string {
  const { entries, bytes, maxSize, diskFree } = cache;
  const limit = maxSize === null ? '' : ` of ${formatSize(maxSize)}`;
  const free = diskFree === null ? 'disk silent' : `${formatSize(diskFree)} free`;
  const stored = `${plural(entries, 'file')}, ${formatSize(bytes)}${limit}, ${free}`;
  return `${stored}; ${plural(clients, 'client')}, ${plural(downloads.length, 'download')}`;
}

// A path gives up its beginning where there is no room for all of it.
function downloadLines(downloads: readonly DownloadReport[], columns: number): string[] {
  if (downloads.length === 0) return ['Nothing is being downloaded'];
  const wide = columns >= WIDE;
  const before = wide ? [{ heading: ''.padEnd(BAR) }] : [];
  const rows = downloads.map((download) => [
    ...(wide ? [drawn(download)] : []),
    ...downloadCells(download).slice(0, -1),
  ]);
  const [heading = '', ...lines] = table([...before, ...downloadColumns], rows)
    .trimEnd()
    .split('\n');
  const room = width(heading) - width('PATH');
  const paths = downloads.map(({ path }) => cutStart(path, Math.max(0, columns - room)));
  return [heading, ...lines.map((line, index) => line.padEnd(room) + (paths[index] ?? ''))];
}

function drawn({ bytes, length }: DownloadReport): string {
  return bar(length === null || length === 0 ? 0 : bytes / length, BAR).padEnd(BAR, '·');
}
