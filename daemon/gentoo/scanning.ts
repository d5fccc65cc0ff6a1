import { type Clock, repeat } from '../schedule.ts';

/** So soon after a sync there is a scan, in milliseconds. */
const LOOK_EVERY = 120_000;
/** And so soon after a change that leaves no mark. */
const SCAN_EVERY = 3_600_000;

/** What is scanned, and how it is seen from afar that it is time. */
export interface ScanningOptions {
  readonly clock: Clock;
  /** Resolves to whether all was found as it was: if not, more may follow. */
  readonly scan: () => Promise<boolean>;
  /** A text that a sync changes, cheap to have. */
  readonly marks: () => Promise<string>;
}

/** Scans, one at a time. */
export interface Scanning {
  /** Resolves when a scan has ended that begins after this. */
  now(): Promise<void>;
  /** Begins none any more, and resolves when none is under way. */
  close(): Promise<void>;
}

/** Scans now, soon after each sync, and every hour. */
export function keepScanning({ clock, scan, marks }: ScanningOptions): Scanning {
  let running: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | undefined;
  let closed = false;
  let seen = '';
  let settled = false;
  let scannedAt = 0;
  const once = async (): Promise<void> => {
    waiting = undefined;
    // Before the scan: what changes meanwhile is seen afterwards.
    seen = await marks();
    if (closed) return;
    // A sync may be under way: it is followed until there is nothing new.
    settled = await scan();
    scannedAt = clock.now();
  };
  const now = (): Promise<void> => {
    waiting ??= running.then(once);
    running = waiting;
    return waiting;
  };
  const isDue = async (): Promise<boolean> =>
    !settled || clock.now() >= scannedAt + SCAN_EVERY || (await marks()) !== seen;
  const stop = repeat({ clock, first: LOOK_EVERY, every: LOOK_EVERY }, async () => {
    if (await isDue()) await now();
  });
  return {
    now,
    close: async () => {
      closed = true;
      await stop();
      await running;
    },
  };
}
