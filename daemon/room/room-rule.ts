import { formatSize } from '../units.ts';
import type { RoomDetail } from './storing.ts';

/** Everything that decides whether a file fits, in bytes. */
export interface Books {
  /** CACHE_DIR, for messages. */
  readonly root: string;
  /** What the disk has left. */
  readonly free: number;
  /** What of it must stay free. */
  readonly minFree: number;
  /** MAX_SIZE, or Infinity. */
  readonly maxSize: number;
  readonly entries: number;
  /** In unfinished files, of fills under way and of earlier ones. */
  readonly partials: number;
  /** Promised to fills and not yet written. */
  readonly promised: number;
}

/** Whether a file fits. */
export type Verdict =
  | { readonly kind: 'fits' }
  /** It fits once entries are culled. */
  | { readonly kind: 'cull' }
  | { readonly kind: 'refused'; readonly detail: RoomDetail; readonly reason: string };

/** Culling begins ahead above the first share of MAX_SIZE, and goes down to the second. */
const CROWDED = 0.99;
const CULL_TO = 0.98;

/** Judges a file of so many bytes. */
export function judge(books: Books, bytes: number): Verdict {
  const { free, minFree, maxSize, entries, partials, promised } = books;
  if (bytes > maxSize) {
    return refuse('max-size', `${formatSize(bytes)} is more than ${formatSize(maxSize)} in all`);
  }
  const filling = partials + promised + bytes;
  if (filling > maxSize) {
    const room = `${formatSize(bytes)} beside the ${formatSize(partials + promised)} of downloads`;
    return refuse('max-size', `${room} is more than ${formatSize(maxSize)} in all`);
  }
  const over = Math.max(0, entries + filling - maxSize);
  // What would be culled is free then; if even that is not enough, it is not worth it.
  if (free + over - promised - bytes < minFree) {
    return refuse('min-free', wordFull(books, ` for ${formatSize(bytes)}`));
  }
  return { kind: over > 0 ? 'cull' : 'fits' };
}

/** So little of MAX_SIZE is left, after so many bytes, that culling ahead spares the next a wait. */
export function isCrowded({ maxSize, entries, partials, promised }: Books, bytes: number): boolean {
  return entries + partials + promised + bytes > CROWDED * maxSize;
}

/** Why the disk is too full for any file, or undefined. */
export function fullness(books: Books): string | undefined {
  const { free, promised, minFree } = books;
  return free - promised < minFree ? `min-free: ${wordFull(books, '')}` : undefined;
}

/** To how many bytes of entries culling has to go, for files of so many bytes to be welcome. */
export function cullTarget({ maxSize, partials, promised }: Books, bytes: number): number {
  return Math.max(0, Math.floor(CULL_TO * maxSize) - partials - promised - bytes);
}

function refuse(detail: RoomDetail, reason: string): Verdict {
  return { kind: 'refused', detail, reason: `${detail}: ${reason}` };
}

function wordFull({ root, free, promised, minFree }: Books, purpose: string): string {
  const promises = promised > 0 ? `, less ${formatSize(promised)} for downloads under way,` : '';
  return `${root} has ${formatSize(Math.max(0, free))} left${promises}${purpose}, and ${formatSize(minFree)} must stay free`;
}
