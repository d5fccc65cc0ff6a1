import type { Clock } from '../../daemon/schedule.ts';

/** A clock that stands still until a test moves it. */
export interface TestClock extends Clock {
  /** Moves on, and runs what is due in its order. */
  advance(milliseconds: number): void;
  /** How many things are still to happen. */
  pending(): number;
}

interface Planned {
  readonly due: number;
  readonly run: () => void;
}

/** A clock that shows the present, or another time. */
export function testClock(start: number = Date.now()): TestClock {
  let time = start;
  const planned = new Set<Planned>();
  const next = (until: number) =>
    [...planned].filter(({ due }) => due <= until).sort((a, b) => a.due - b.due)[0];
  return {
    now: () => time,
    after: (milliseconds, run) => {
      const plan = { due: time + milliseconds, run };
      planned.add(plan);
      return () => planned.delete(plan);
    },
    advance: (milliseconds) => {
      const until = time + milliseconds;
      for (let plan = next(until); plan !== undefined; plan = next(until)) {
        planned.delete(plan);
        time = Math.max(time, plan.due);
        plan.run();
      }
      time = until;
    },
    pending: () => planned.size,
  };
}
