import { formatDuration, formatRate } from '../units.ts';

const SLOW_WINDOW = 60_000;
/** Bytes a window must bring: 1 kB/s. */
const SLOW_BYTES = 60_000;
const TICK = 1000;

/** The code of the error when a body stalls. */
export const STALLED = 'ERR_SOURCE_STALLED';

/** Watches the bytes of one body on our own clock. */
export interface Watchdog {
  received(bytes: number): void;
  /** The reader holds the source back: silence is not the source's fault. */
  hold(): void;
  release(): void;
  stop(): void;
}

/** How patient a watchdog is, and whom it tells. */
export interface WatchdogOptions {
  /** Milliseconds of silence that are a stall. */
  readonly patience: number;
  /** Called once, with a reason whose code is STALLED. */
  readonly stalled: (error: Error) => void;
}

/** Starts the clock; the owner stops it. There is no limit on the whole, only on progress. */
export function startWatchdog({ patience, stalled }: WatchdogOptions): Watchdog {
  let lastByte = Date.now();
  let windowStart = lastByte;
  let windowBytes = 0;
  let held = false;
  const timer = setInterval(check, Math.min(TICK, patience));

  function check(): void {
    const now = Date.now();
    if (held) return;
    if (now - lastByte >= patience) {
      bark(`no byte for ${formatDuration(now - lastByte)}`);
    } else if (now - windowStart >= SLOW_WINDOW) {
      if (windowBytes < SLOW_BYTES) {
        bark(`only ${formatRate(windowBytes, now - windowStart)} for a minute`);
      }
      windowStart = now;
      windowBytes = 0;
    }
  }
  function bark(reason: string): void {
    clearInterval(timer);
    stalled(Object.assign(new Error(reason), { code: STALLED }));
  }
  return {
    received: (bytes) => {
      lastByte = Date.now();
      windowBytes += bytes;
    },
    hold: () => {
      held = true;
    },
    release: () => {
      held = false;
      lastByte = Date.now();
      windowStart = lastByte;
      windowBytes = 0;
    },
    stop: () => clearInterval(timer),
  };
}
