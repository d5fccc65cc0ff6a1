/** What the daemon counts, over its lifetime and since it started. */
export interface Counters {
  /** Requests that reached the path of a request; the health page is none of them. */
  requests: number;
  /** Answered from the store, without contact with a source. */
  hits: number;
  /** Had to be forwarded: a fill was started, or a source was asked for a head. */
  misses: number;
  /** Joined a fill that another request had started. */
  collapsed: number;
  /** A source was asked whether a mutable entry changed, and it had not. */
  revalidated: number;
  /** Answered from a copy that no source would confirm. */
  stale: number;
  /** Forwarded and not stored. */
  passed: number;
  /** Answered with a status of 400 or above. */
  errors: number;
  /** Body bytes handed to clients. */
  bytesServed: number;
  /** Body bytes of hits among them. */
  bytesHit: number;
  /** Body bytes received from sources. */
  bytesFetched: number;
  /** Fills that ended in a stored entry. */
  fills: number;
  /** Fills that ended without one. */
  fillsFailed: number;
}

/** A set of counters at nought. */
export function createCounters(): Counters {
  return {
    requests: 0,
    hits: 0,
    misses: 0,
    collapsed: 0,
    revalidated: 0,
    stale: 0,
    passed: 0,
    errors: 0,
    bytesServed: 0,
    bytesHit: 0,
    bytesFetched: 0,
    fills: 0,
    fillsFailed: 0,
  };
}

/** The sum of both; a counter that one of them lacks or spoils counts as nought there. */
export function addCounters(left: Partial<Counters>, right: Partial<Counters>): Counters {
  const sum = createCounters();
  for (const name of Object.keys(sum) as (keyof Counters)[]) {
    sum[name] = countOf(left[name]) + countOf(right[name]);
  }
  return sum;
}

/** What the counters come to. */
export interface Gains {
  /** Body bytes that were served without being fetched. */
  readonly bytesSaved: number;
  /** Hits among the requests, 0 to 1; null before the first. */
  readonly hitRatio: number | null;
  /** Bytes of hits among those served, 0 to 1; null before the first. */
  readonly byteHitRatio: number | null;
}

/** What the counters mean. */
export function gainsOf(counters: Counters): Gains {
  const { requests, hits, bytesServed, bytesHit, bytesFetched } = counters;
  return {
    bytesSaved: Math.max(0, bytesServed - bytesFetched),
    hitRatio: requests === 0 ? null : Math.min(1, hits / requests),
    byteHitRatio: bytesServed === 0 ? null : Math.min(1, bytesHit / bytesServed),
  };
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}
