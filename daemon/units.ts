import { CacheError } from './errors.ts';

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 365 * 86_400_000,
};

const sizeUnits: Readonly<Record<string, number>> = {
  '': 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

/**
 * Milliseconds for `90d`, `1.5h` or `500ms`; a bare number is seconds.
 *
 * @throws CacheError `usage` for anything else.
 */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|[smhdwy])?$/.exec(text.trim());
  const unit = durationUnits[match?.[2] ?? 's'];
  const value = Number(match?.[1]) * (unit ?? Number.NaN);
  if (Number.isSafeInteger(Math.round(value))) return Math.round(value);
  throw new CacheError('usage', {
    verb: 'parse duration',
    thing: text,
    reason: 'write a number and one of ms s m h d w y, such as 90d',
  });
}

/**
 * Bytes for `200G` or `1.5T` (1024 to the K); a bare number is bytes. `G`, `GB` and `GiB` are the
 * same, in either case.
 *
 * @throws CacheError `usage` for anything else.
 */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(text.trim());
  const unit = sizeUnits[(match?.[2] ?? '').toUpperCase()];
  const value = Math.round(Number(match?.[1]) * (unit ?? Number.NaN));
  if (Number.isSafeInteger(value)) return value;
  throw new CacheError('usage', {
    verb: 'parse size',
    thing: text,
    reason: 'write a number and one of K M G T, such as 200G',
  });
}

/** `12,345` for people. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1.5G` for people: three digits at most, 1024 to the K. */
export function formatSize(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T', 'P'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : 1;
  return `${value.toFixed(digits)}${units[unit]}`;
}

/** `850ms`, `2.5s`, `3m20s`, `5h10m`, `12d` for people. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)}ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)}s`;
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 60) return `${minutes}m${Math.floor((milliseconds % 60_000) / 1000)}s`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)}h${minutes % 60}m`;
  return `${Math.floor(minutes / (24 * 60))}d`;
}

/** `11.5M/s` for a number of bytes moved in so many milliseconds. */
export function formatRate(bytes: number, milliseconds: number): string {
  return `${formatSize((bytes * 1000) / Math.max(milliseconds, 1))}/s`;
}
