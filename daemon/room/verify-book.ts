import type { FileIdentity } from '../cache/quarantine.ts';
import type { Problem } from './walk.ts';

/** An entry that is none of what the Manifests say. */
export interface WrongEntry {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly file: FileIdentity;
  /** What was expected, and what was found. */
  readonly reason: string;
}

/** How far it has come. */
export interface VerifyProgress {
  /** Looked at so far, of those that are named by a Manifest, and their bytes. */
  readonly entries: number;
  readonly bytes: number;
  /** Of what is to be looked at in all. */
  readonly total: number;
  readonly totalBytes: number;
  /** What turned out to be wrong since the last progress. */
  readonly wrong: readonly WrongEntry[];
  /** The entry that was looked at last. */
  readonly last: string | undefined;
}

/** What it came to. */
export interface VerifySummary {
  /** Entries that are what a Manifest says, and their bytes. */
  readonly verified: number;
  readonly bytes: number;
  /** Entries that no Manifest names. */
  readonly unknown: number;
  /** Could not be read. */
  readonly failed: number;
  /** The first of those. */
  readonly problems: readonly Problem[];
  readonly cancelled: boolean;
}

const PROBLEMS_TOLD = 100;
const PROGRESS_EVERY = 250;

/** An entry that is to be read. */
export interface Planned {
  readonly key: string;
  /** Bytes, when the walk met it. */
  readonly size: number;
}

/** What is noted of a verification. */
export interface VerifyBook {
  unknown(): void;
  problem(problem: Problem): void;
  plan(entries: readonly Planned[]): void;
  begin(entry: Planned): void;
  /** Told of each piece of the entry. */
  read(bytes: number): void;
  right(entry: Planned): void;
  wrong(entry: WrongEntry): void;
  /** The entry is done with, whatever it came to. */
  end(): void;
  close(cancelled: boolean): VerifySummary;
}

/** Starts at nought; progress is told a few times a second, and at once when an entry is wrong. */
export function openVerifyBook(progress: (progress: VerifyProgress) => void): VerifyBook {
  const problems: Problem[] = [];
  const so = { entries: 0, bytes: 0 };
  const of = { total: 0, totalBytes: 0 };
  const summary = { verified: 0, bytes: 0, unknown: 0, failed: 0 };
  let wrong: WrongEntry[] = [];
  let [last, current]: (string | undefined)[] = [];
  /** The bytes that count once the current entry is done with. */
  let due = 0;
  let toldAt = performance.now();
  const tell = (): void => {
    progress({ ...so, ...of, wrong, last });
    wrong = [];
    toldAt = performance.now();
  };
  return {
    unknown: () => {
      summary.unknown += 1;
    },
    problem: (problem) => {
      summary.failed += 1;
      if (problems.length < PROBLEMS_TOLD) problems.push(problem);
    },
    plan: (entries) => {
      of.total = entries.length;
      of.totalBytes = entries.reduce((sum, { size }) => sum + size, 0);
      tell();
    },
    begin: ({ key, size }) => {
      current = key;
      due = so.bytes + size;
    },
    read: (bytes) => {
      // It may be longer by now: the sum is that of the plan.
      so.bytes = Math.min(so.bytes + bytes, due);
      if (performance.now() - toldAt >= PROGRESS_EVERY) tell();
    },
    right: ({ size }) => {
      summary.verified += 1;
      summary.bytes += size;
    },
    wrong: (entry) => {
      wrong.push(entry);
    },
    end: () => {
      so.entries += 1;
      so.bytes = due;
      last = current;
      if (wrong.length > 0) tell();
    },
    close: (cancelled) => {
      tell();
      return { ...summary, problems, cancelled };
    },
  };
}
