import type { Clock } from '../schedule.ts';

/** The hour, by the local clock, from which on few are awake. */
const HOUR = 3;
/** Caches that share a disk or a power supply do not all begin at once: up to so many ms later. */
const SPREAD = 3_600_000;

/** Something to be done each night. */
export interface NightlyJob {
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  /** Deals with its own failures. */
  readonly run: () => Promise<void>;
}

/** Does it each night; returns what ends that, which resolves when the job does not run any more. */
export function everyNight({ clock, random, run }: NightlyJob): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  let callOff = () => {};
  const plan = (): void => {
    if (!stopped) callOff = clock.after(untilNight(clock.now()) + random() * SPREAD, begin);
  };
  const begin = (): void => {
    running = run().finally(plan);
  };
  plan();
  return async () => {
    stopped = true;
    callOff();
    await running;
  };
}

// By the calendar: a night may be an hour longer or shorter than the one before.
function untilNight(now: number): number {
  const next = new Date(now);
  next.setHours(HOUR, 0, 0, 0);
  if (next.getTime() <= now) next.setDate(next.getDate() + 1);
  return next.getTime() - now;
}
