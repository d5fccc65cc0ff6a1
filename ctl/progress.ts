import { cut } from './table.ts';
import { bar, remaining } from './words.ts';

/** How far something has come. */
export interface Step {
  /** What has been done so far, in whatever unit. */
  readonly done: number;
  /** All there is to do, where that is known. */
  readonly total?: number;
  /** What to say of it: `12,345 files, 3.1G`. */
  readonly text: string;
}

/** One line that tells how far something has come, drawn over and over. */
export interface Progress {
  /** At most every tenth of a second; the steps between are not drawn. */
  show(step: Step): void;
  /** Takes the line away, for good or until the next step. */
  clear(): void;
}

/** Where a progress line is drawn: standard error, when that is a terminal. */
export interface ProgressPlace {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

const DRAW_EVERY = 100;
const BAR = 24;
const TELLS_AFTER = 2000;

/** A progress line on a terminal; nothing at all elsewhere, for a log file wants none. */
export function createProgress(place: ProgressPlace, now: () => number): Progress {
  if (place.isTTY !== true) return { show: () => {}, clear: () => {} };
  const startedAt = now();
  let drawnAt = Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    show: (step) => {
      const time = now();
      if (time - drawnAt < DRAW_EVERY) return;
      drawnAt = time;
      drawn = true;
      const line = progressLine(step, time - startedAt);
      // In the last column some terminals break the line, and the next one would not cover it.
      place.write(`\r${cut(line, (place.columns ?? 80) - 1)}\x1b[K`);
    },
    clear: () => {
      if (drawn) place.write('\r\x1b[K');
      drawn = false;
      // What is shown next is shown at once.
      drawnAt = Number.NEGATIVE_INFINITY;
    },
  };
}

/** The line's text: a bar, a share and what remains when the total is known. */
export function progressLine({ done, total, text }: Step, elapsed: number): string {
  if (total === undefined || total <= 0) return text;
  const share = Math.min(done / total, 1);
  // The first files say little of the others.
  const known = share >= 0.01 && elapsed >= TELLS_AFTER;
  const left = known ? `  ${remaining((elapsed * (1 - share)) / share)} left` : '';
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  return `▕${bar(share, BAR).padEnd(BAR)}▏ ${percent}  ${text}${left}`;
}
