/** Time, for somebody who works synchronously. */
export interface Pacing {
  /** Milliseconds, from whatever beginning. */
  readonly now: () => number;
  /** Blocks for so many milliseconds, or until it is not worth waiting any more. */
  readonly sleep: (milliseconds: number) => void;
}

/** Holds work to a rate in bytes a second: told of each piece, it waits until the next is due. */
export function createPace(rate: number, { now, sleep }: Pacing): (bytes: number) => void {
  let due = now();
  return (bytes) => {
    // What was slow is not made up for: others use the disk too.
    due = Math.max(due + (bytes / rate) * 1000, now());
    const wait = due - now();
    if (wait > 0) sleep(wait);
  };
}
