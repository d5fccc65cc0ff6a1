/** The daemon as a process: what grows here, hour by hour and at rest, is a leak. */
export interface ProcessReport {
  /** Bytes of memory: all that it holds, and in it what JavaScript's objects and buffers take. */
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  /** What the event loop waits for, counted by kind in Node's own words: `TCPSocketWrap`, `Timeout`. */
  readonly resources: Readonly<Record<string, number>>;
}
