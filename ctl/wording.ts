import type { Paint } from './paint.ts';

/** What wording a reply needs beside the reply. */
export interface Wording {
  readonly paint: Paint;
  /** Milliseconds since the epoch. */
  readonly now: number;
}
