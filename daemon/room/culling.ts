import type { Clock } from '../schedule.ts';
import type { Census } from './census.ts';
import type { CullOrder, CullSummary } from './cull.ts';
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
  readonly cull: (order: CullOrder) => Promise<Pick<CullSummary, 'entries'>>;
  readonly clock: Clock;
}

/** Culling in vain costs a walk: it is not tried again for every file. */
const PAUSE = 600_000;

/** Starts with nothing under way. */
export function createCulling({ census, cull, clock }: CullingOptions): Culling {
  let running: Promise<void> | undefined;
  let pausedUntil = Number.NEGATIVE_INFINITY;
  /** The last one removed nothing, and there seems to be too much all the same. */
  let vain = false;
  const help = async (target: number): Promise<boolean> => {
    // What is stored meanwhile may be more than what goes: that does not make it vain.
    const cutOff = census.cutOff(census.totals().bytes - target);
    if ((await cull({ downTo: target, cutOff })).entries > 0) return true;
    // Perhaps there was nothing to remove: then it is the census that is wrong.
    await census.correct();
    return census.totals().bytes <= target;
  };
  const run = async (target: number): Promise<void> => {
    try {
      const before = vain;
      vain = !(await help(target));
      // Once it may be that too much was stored since it looked.
      if (!vain || !before) return;
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
