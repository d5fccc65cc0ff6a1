import { formatDuration, formatRate, formatSize } from '../units.ts';

/** One download in progress, for reports. */
export interface FillReport {
  readonly key: string;
  readonly state: 'asking' | 'streaming' | 'storing' | 'done' | 'failed';
  /** The URL of the source that delivers. */
  readonly source: string | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly bytes: number;
  /** Of the whole file. */
  readonly length: number | undefined;
  /** Bytes a second. */
  readonly rate: number | undefined;
  /** Milliseconds that are left at this rate. */
  readonly eta: number | undefined;
  /** Requests that wait for it or are served from it. */
  readonly clients: number;
}

/** What a fill came to, for reports. */
export interface FillOutcome {
  readonly kind: 'stored' | 'passed' | 'unchanged' | 'failed';
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The URL of the source that delivered, or last tried to. */
  readonly source: string | undefined;
  readonly bytes: number;
  /** Why it failed. */
  readonly reason: string | undefined;
}

/** The end of a fill, as the fill itself tells it. */
export interface End {
  readonly kind: FillOutcome['kind'];
  readonly bytes?: number;
  readonly reason?: string;
  /** One line for those who watch. */
  readonly text: string;
}

/** How fast a download is. */
export interface Pace {
  readonly bytes: number;
  readonly length: number | undefined;
  /** Bytes that arrived since a time in milliseconds since the epoch. */
  readonly gained: number;
  readonly since: number;
}

/** Rate and remaining time of a download; unknown before the first byte. */
export function paceOf(pace: Pace): Pick<FillReport, 'rate' | 'eta'> {
  const { bytes, length, gained, since } = pace;
  if (gained <= 0) return { rate: undefined, eta: undefined };
  const rate = (gained * 1000) / Math.max(Date.now() - since, 1);
  return { rate, eta: length === undefined ? undefined : ((length - bytes) * 1000) / rate };
}

/** Milliseconds until a download reaches an offset, at its pace so far. */
export function timeTo({ bytes, rate = 0 }: FillReport, offset: number): number {
  return offset <= bytes ? 0 : ((offset - bytes) * 1000) / rate;
}

/** What a download that ended was like. */
export interface Account {
  readonly source: { readonly url: string } | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly clients: number;
}

/** One line for the log: `from http://…: 123 bytes (123B) in 5ms (24K/s), 1 client`. */
export function wordAccount({ source, startedAt, clients }: Account, bytes: number): string {
  const took = Date.now() - startedAt;
  const size = `${bytes} bytes (${formatSize(bytes)})`;
  const pace = `${formatDuration(took)} (${formatRate(bytes, took)})`;
  return `from ${source?.url}: ${size} in ${pace}, ${clients === 1 ? '1 client' : `${clients} clients`}`;
}
