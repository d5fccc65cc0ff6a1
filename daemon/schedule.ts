/** The time, and what is to happen later: tests have a clock of their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs something once so many milliseconds have passed; returns how to call it off. */
  after(milliseconds: number, run: () => void): () => void;
}

/** The system's clock; what it is to run keeps no process alive. */
export const systemClock: Clock = {
  now: Date.now,
  after: (milliseconds, run) => {
    const timer = setTimeout(run, milliseconds).unref();
    return () => clearTimeout(timer);
  },
};

/** When a job runs. */
export interface Schedule {
  readonly clock: Clock;
  /** Milliseconds until the first time. */
  readonly first: number;
  /** Milliseconds from the end of one time to the next. */
  readonly every: number;
}

/**
 * Runs a job again and again, never twice at once. The job deals with its own failures.
 *
 * @returns what ends it; it resolves when the job is not running any more.
 */
export function repeat(schedule: Schedule, job: () => Promise<void>): () => Promise<void> {
  const { clock, first, every } = schedule;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  let callOff = clock.after(first, run);
  function run(): void {
    running = job().finally(() => {
      if (!stopped) callOff = clock.after(every, run);
    });
  }
  return async () => {
    stopped = true;
    callOff();
    await running;
  };
}
