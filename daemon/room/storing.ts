import { describe, errnoOf } from '../errors.ts';

/** Why nothing, or not this, is stored: the `detail` of the error, and of Cache-Status. */
export type RoomDetail = 'min-free' | 'max-size' | 'storage';

/** Whether fills are stored at present. */
export type RoomState =
  | { readonly storing: true }
  | {
      readonly storing: false;
      readonly detail: RoomDetail;
      readonly reason: string;
      /** Milliseconds since the epoch. */
      readonly since: number;
    };

/** Whether the disk takes what it is given: after a failure it is left alone for a while. */
export interface Storing {
  state(): RoomState;
  /** Why the disk is to be left alone now. */
  refusal(): string | undefined;
  /** Something could not be stored: leaves the disk alone if that is the disk's fault. */
  noteFailure(error: unknown): void;
  /** The disk did not even say how full it is. */
  noteSilence(error: unknown): void;
  /** Something was stored. */
  noteSuccess(): void;
  /** The disk was looked at: why it is too full for anything, or undefined. */
  noteLevel(full: string | undefined): void;
}

/** Errors that the next file would meet too. */
const diskErrors = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EMFILE', 'ENFILE'];

const FIRST_PAUSE = 10_000;
const LONGEST_PAUSE = 300_000;

/** Starts in good faith. `changed` gets a line whenever storing ends or begins again. */
export function createStoring(options: {
  readonly now: () => number;
  readonly changed: (line: string) => void;
}): Storing {
  const { now, changed } = options;
  let state: RoomState = { storing: true };
  let pause = FIRST_PAUSE;
  let until = Number.NEGATIVE_INFINITY;
  const enter = (detail: RoomDetail, reason: string): void => {
    if (state.storing || state.detail !== detail) {
      state = { storing: false, detail, reason, since: now() };
      changed(`not storing: ${reason}`);
    }
  };
  const leave = (): void => {
    if (state.storing) return;
    state = { storing: true };
    changed('storing again');
  };
  const fail = (error: unknown): void => {
    // Downloads that ran side by side fail side by side: that is one failure.
    if (now() < until) return;
    until = now() + pause;
    pause = Math.min(2 * pause, LONGEST_PAUSE);
    enter('storage', describe(error));
  };
  return {
    state: () => state,
    refusal: () => (now() < until && !state.storing ? state.reason : undefined),
    noteFailure: (error) => {
      if (isDiskError(error)) fail(error);
    },
    noteSilence: fail,
    noteSuccess: () => {
      // What a small file still found room for proves nothing while the disk is left alone.
      if (now() < until) return;
      pause = FIRST_PAUSE;
      if (!state.storing && state.detail === 'storage') leave();
    },
    noteLevel: (full) => {
      if (!state.storing && state.detail === 'storage') return;
      if (full === undefined) leave();
      else enter('min-free', full);
    },
  };
}

function isDiskError(error: unknown): boolean {
  if (diskErrors.includes(errnoOf(error) ?? '')) return true;
  return error instanceof Error && error.cause !== undefined && isDiskError(error.cause);
}
