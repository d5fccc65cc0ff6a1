import type { Clock } from '../schedule.ts';
import type { Census } from './census.ts';
import type { CullOrder } from './cull.ts';
import { type Books, cullTarget } from './room-rule.ts';

/** Keeps the entries within MAX_SIZE: one cull at a time. */
export interface Culling {
  /**
   * Culls until files of so many bytes are welcome, or joins the cull under way.
   *
   * @returns what resolves when it is over, whatever came of it; undefined when culling did not
   * help a moment ago.
   */
  start(books: Books, wanted: number): Promise<void> | undefined;
}

/** Who counts, and who culls. */
export interface CullingOptions {
  readonly census: Pick<Census, 'totals' | 'cutOff' | 'correct'>;
  /** Tells the census what went. Whatever it throws, its giver has logged. */
  readonly cull: (order: CullOrder) => Promise<unknown>;
  readonly clock: Clock;
}

/** Culling in vain costs a walk: it is not tried again for every file. */
const PAUSE = 600_000;

/** Starts with nothing under way. */
export function createCulling({ census, cull, clock }: CullingOptions): Culling {
  let running: Promise<void> | undefined;
  let pausedUntil = Number.NEGATIVE_INFINITY;
  const run = async (target: number): Promise<void> => {
    const { bytes } = census.totals();
    try {
      await cull({ downTo: target, cutOff: census.cutOff(bytes - target) });
      if (census.totals().bytes < bytes) return;
      // Perhaps there was nothing to remove: then it is the census that is wrong.
      await census.correct();
      if (census.totals().bytes <= target) return;
    } catch {
      // Whoever waits finds out that there is no more room than before.
    }
    pausedUntil = clock.now() + PAUSE;
  };
  return {
    start: (books, wanted) => {
      if (running !== undefined) return running;
      if (clock.now() < pausedUntil) return undefined;
      running = run(cullTarget(books, wanted)).finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}
