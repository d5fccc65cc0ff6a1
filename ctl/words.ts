import { formatCount, formatDuration, formatSize } from '../daemon/units.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** `1 file`, `12,345 files`. */
export function plural(number: number, one: string, many = `${one}s`): string {
  return `${formatCount(number)} ${number === 1 ? one : many}`;
}

/** A number of files and their bytes: `1,204 files, 3.1G`. */
export function amount({ entries, bytes }: { entries: number; bytes: number }): string {
  return `${plural(entries, 'file')}, ${formatSize(bytes)}`;
}

/** `93.4 %`; a dash where nothing was counted. */
export function percent(part: number, whole: number): string {
  if (whole <= 0) return '-';
  const value = (part / whole) * 100;
  // A cache that missed once has no ratio of 100 %.
  if (value > 99.9 && part < whole) return '99.9 %';
  return value === 100 || value === 0 ? `${value} %` : `${value.toFixed(1)} %`;
}

/** How long ago: `now`, `40s ago`, `12d ago`. */
export function ago(time: number, now: number): string {
  return now - time < second ? 'now' : `${span(now - time)} ago`;
}

/** A span in one short word: `40s`, `12m`, `5h`, `12d`, `3.1y`. */
export function span(milliseconds: number): string {
  const value = Math.max(0, milliseconds);
  if (value < minute) return `${Math.floor(value / second)}s`;
  if (value < hour) return `${Math.floor(value / minute)}m`;
  if (value < 2 * day) return `${Math.floor(value / hour)}h`;
  if (value < 730 * day) return `${Math.floor(value / day)}d`;
  return `${(value / day / 365).toFixed(1)}y`;
}

/** `2026-11-22 20:42`, in the local time of whoever reads. */
export function moment(time: number): string {
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, '0');
  const days = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${days} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** `20:42:07`, local time. */
export function clock(time: number): string {
  return new Date(time).toTimeString().slice(0, 8);
}

/** A rate in bytes a second: `11.5M/s`. */
export function rate(bytesPerSecond: number): string {
  return `${formatSize(bytesPerSecond)}/s`;
}

/** What remains: `3m20s`, or a dash when nobody can tell. */
export function remaining(milliseconds: number | undefined): string {
  if (milliseconds === undefined || !Number.isFinite(milliseconds)) return '-';
  return formatDuration(Math.max(second, Math.round(milliseconds / second) * second)).replace(
    /\.\d+s$/,
    's',
  );
}

/** A bar of blocks, an eighth of a column exact; something is never nothing. */
export function bar(fraction: number, width: number): string {
  const share = Math.min(Math.max(fraction, 0), 1);
  const eighths = share === 0 ? 0 : Math.max(1, Math.round(share * width * 8));
  const part = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8] ?? '';
  return '█'.repeat(Math.floor(eighths / 8)) + part;
}
