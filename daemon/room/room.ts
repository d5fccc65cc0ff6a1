import type { Layout } from '../cache/layout.ts';
import type { Config } from '../config/config.ts';
import { minFreeBytes } from '../config/min-free.ts';
import { CacheError, describe } from '../errors.ts';
import { formatSize } from '../units.ts';
import { type CullingOptions, createCulling } from './culling.ts';
import { bytesIn, type Disk, measureDisk } from './disk.ts';
import { type Books, fullness, isCrowded, judge } from './room-rule.ts';
import { createStoring, type RoomDetail, type RoomState } from './storing.ts';

/** Room for one file, until it is released. */
export interface Reservation {
  /** Gives the room back, however the fill ended; calling it again does nothing. */
  release(): void;
}

/** The disk budget: what may still be stored. */
export interface Room {
  /**
   * Promises room for a file of so many bytes; `undefined` when nobody knows how many. `written`
   * tells how many of them are in the partial file by now, so that they do not count twice.
   *
   * @throws CacheError `no-room`, whose `detail` is `min-free`, `max-size` or `storage`.
   */
  reserve(bytes: number | undefined, written?: () => number): Promise<Reservation>;
  /** As of the last look. */
  state(): RoomState;
  /** Looks again, for a report or a changed limit, and culls what MAX_SIZE does not hold. */
  check(): Promise<RoomState>;
  /** Something could not be stored. */
  noteFailure(error: unknown): void;
  /** Something was stored. */
  noteSuccess(): void;
}

/** What room is made of. */
export interface RoomOptions extends CullingOptions {
  readonly layout: Layout;
  readonly limits: () => Pick<Config, 'minFree' | 'maxSize'>;
  /** Told in a line whenever storing ends or begins again. */
  readonly changed: (line: string) => void;
  readonly measure?: (path: string) => Promise<Disk>;
}

/** What is yet to come of a file of unknown length; no more than an eighth of a small MAX_SIZE. */
const UNKNOWN = 64 * 1024 ** 2;

/** Milliseconds that a fill waits for culling: a client wants its first byte within 9 s. */
const PATIENCE = 5000;

interface Hold {
  readonly bytes: number;
  readonly written: () => number;
}

/** The budget of one cache directory. */
export function createRoom(options: RoomOptions): Room {
  const { clock, changed } = options;
  const storing = createStoring({ now: clock.now, changed });
  const culling = createCulling(options);
  const held = new Set<Hold>();
  const waiting = new Set<Hold>();
  const look = async () => {
    try {
      return await readBooks(options, () => outstanding(held));
    } catch (cause) {
      storing.noteSilence(cause);
      throw noRoom(0, { detail: 'storage', reason: `storage: ${describe(cause)}`, cause });
    }
  };
  const admit = async (hold: Hold, deadline: Promise<'late'>): Promise<void> => {
    for (;;) {
      const complete = await look();
      // From here to where it is held nothing may come between: another one would see this room.
      const books = complete();
      storing.noteLevel(fullness(books));
      const bytes = outstanding([hold]);
      const verdict = judge(books, bytes);
      if (verdict.kind === 'refused') throw noRoom(bytes, verdict);
      if (verdict.kind === 'fits') {
        held.add(hold);
        if (isCrowded(books, bytes)) void culling.start(books, outstanding(waiting));
        return;
      }
      const culled = culling.start(books, outstanding(waiting));
      if (culled === undefined || (await Promise.race([culled, deadline])) === 'late') {
        throw noRoom(bytes, { detail: 'max-size', reason: 'max-size: nothing was culled in time' });
      }
    }
  };
  return {
    reserve: async (bytes, written) => {
      const hold = holdFor({ bytes, written, maxSize: options.limits().maxSize });
      const refusal = storing.refusal();
      if (refusal !== undefined) {
        throw noRoom(outstanding([hold]), { detail: 'storage', reason: `storage: ${refusal}` });
      }
      const deadline = Promise.withResolvers<'late'>();
      const callOff = clock.after(PATIENCE, () => deadline.resolve('late'));
      waiting.add(hold);
      try {
        await admit(hold, deadline.promise);
      } finally {
        waiting.delete(hold);
        callOff();
      }
      return { release: () => void held.delete(hold) };
    },
    state: storing.state,
    check: async () => {
      if (storing.refusal() !== undefined) return storing.state();
      const complete = await look().catch(() => undefined);
      if (complete === undefined) return storing.state();
      const books = complete();
      storing.noteLevel(fullness(books));
      if (isCrowded(books, 0)) void culling.start(books, outstanding(waiting));
      return storing.state();
    },
    noteFailure: storing.noteFailure,
    noteSuccess: storing.noteSuccess,
  };
}

// The disk is asked first; what only we know is added when the answer is used.
async function readBooks(options: RoomOptions, promised: () => number): Promise<() => Books> {
  const { layout, census, limits, measure = measureDisk } = options;
  const { maxSize = Number.POSITIVE_INFINITY, minFree } = limits();
  const { free, size } = await measure(layout.root);
  const partials = Number.isFinite(maxSize) ? await bytesIn(layout.partialFolder) : 0;
  return () => ({
    root: layout.root,
    free,
    minFree: minFreeBytes(minFree, size),
    maxSize,
    entries: census.totals().bytes,
    partials,
    promised: promised(),
  });
}

interface Wish {
  readonly bytes: number | undefined;
  readonly written: (() => number) | undefined;
  readonly maxSize: number | undefined;
}

function holdFor({ bytes, written = () => 0, maxSize = Number.POSITIVE_INFINITY }: Wish): Hold {
  if (bytes !== undefined) return { bytes, written };
  // However much of it is there by now, as much again may follow.
  return { bytes: Math.min(UNKNOWN, Math.floor(maxSize / 8)), written: () => 0 };
}

function outstanding(holds: Iterable<Hold>): number {
  let sum = 0;
  for (const { bytes, written } of holds) sum += Math.max(0, bytes - written());
  return sum;
}

interface Refusal {
  readonly detail: RoomDetail;
  readonly reason: string;
  readonly cause?: unknown;
}

function noRoom(bytes: number, { detail, reason, cause }: Refusal): CacheError {
  const thing = formatSize(bytes);
  return new CacheError('no-room', { verb: 'reserve', thing, reason, detail, cause });
}
