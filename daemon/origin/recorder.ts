import type { PartialBook, PartialRecord } from '../cache/partial-book.ts';
import { describe } from '../errors.ts';
import type { Log } from '../system/log.ts';

/** A fill that takes longer than this, in ms, leaves a record: a crash must not undo it. */
const RECORD_AFTER = 100;

/** Keeps a running fill's record up to date. */
export interface Recorder {
  /** So many bytes are safe from a power cut. */
  note(synced: number): void;
  /** Nothing more will be noted; resolves when the last write is over. */
  stop(): Promise<void>;
}

/** What is recorded, where, and who hears of a failure. */
export interface RecorderOptions {
  readonly partials: PartialBook;
  readonly record: PartialRecord | undefined;
  readonly log: Log;
}

/** Starts to keep the record of a fill; a fill without one is not recorded. */
export function startRecorder({ partials, record, log }: RecorderOptions): Recorder {
  let writing = Promise.resolve();
  const note = (synced: number) => {
    if (record === undefined) return;
    writing = writing
      .then(() => partials.write({ ...record, synced }))
      // A record that cannot be written costs a resume, not the download.
      .catch((error: unknown) => log.debug(`Cannot note a partial: ${describe(error)}`));
  };
  const timer = setTimeout(() => note(0), RECORD_AFTER);
  return {
    note,
    stop: () => {
      clearTimeout(timer);
      return writing;
    },
  };
}
