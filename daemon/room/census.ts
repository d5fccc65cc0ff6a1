import { readText, replaceFile } from '../cache/durable.ts';
import type { Entry } from '../cache/entry.ts';
import {
  type AgeRow,
  type Amount,
  byAge,
  createHistogram,
  type DayRow,
  dayOf,
  type Histogram,
  type Reclaimable,
  reclaimable,
  type Use,
} from './histogram.ts';
import type { WalkReport } from './survey.ts';

const FORMAT = 1;

/** More entries than this are not known one by one. */
const KNOWN = 10_000;

/** An entry of which something is to be noted. */
export type Counted = Pick<Entry, 'key' | 'size' | 'lastUse'>;

/** A body that has just become an entry. */
export interface Commit {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** The entry it took the place of. */
  readonly replaced?: Use | undefined;
}

/** What the census knows, for reports. */
export interface CensusReport extends Amount {
  /** What culling by age would free, at least. */
  readonly reclaimable: readonly Reclaimable[];
  readonly ages: readonly AgeRow[];
  /** When a walk last counted everything, milliseconds since the epoch. */
  readonly correctedAt: number | undefined;
}

/** How much is stored and when it was last used, without looking: told of every change. */
export interface Census {
  totals(): Amount;
  /** See `Histogram.cutOff`. */
  cutOff(bytesToFree: number): number;
  report(): CensusReport;
  /** Told once the body is at its place. */
  noteCommit(commit: Commit): void;
  /** Told once the entry's times are set; the entry is as it was before. */
  noteTouch(entry: Counted): void;
  noteRemoval(entry: Counted): void;
  /** Told what a cull removed. */
  noteCull(removed: readonly DayRow[]): void;
  /** Counts everything anew. What is noted meanwhile is not lost. */
  correct(): Promise<WalkReport>;
  /** Keeps the count for the next start, if it changed. */
  save(): Promise<void>;
}

/** Where the count is kept, and how it is corrected. */
export interface CensusOptions {
  readonly path: string;
  readonly walk: () => Promise<WalkReport>;
  readonly now: () => number;
}

/** An entry before and after something happened to it. */
interface Change {
  readonly key: string;
  readonly before?: Use | undefined;
  readonly after?: Use | undefined;
  readonly at: number;
}

interface State {
  histogram: Histogram;
  /** How entries count here: better known than what a caller saw before it changed them. */
  known: Map<string, Use>;
  /** What happened since a walk was asked for. */
  journal: Change[] | undefined;
  correcting: Promise<WalkReport> | undefined;
  correctedAt: number | undefined;
  changed: boolean;
}

/** Opens the census as the last run left it; without one it counts from nought. */
export async function openCensus(options: CensusOptions): Promise<Census> {
  const { path, now } = options;
  const state = await readState(path);
  return {
    totals: () => state.histogram.totals(),
    cutOff: (bytesToFree) => state.histogram.cutOff(bytesToFree),
    report: () => ({
      ...state.histogram.totals(),
      reclaimable: reclaimable(state.histogram, now()),
      ages: byAge(state.histogram, now()),
      correctedAt: state.correctedAt,
    }),
    noteCommit: ({ key, size, replaced }) =>
      note(state, { key, before: replaced, after: { size, lastUse: now() }, at: now() }),
    noteTouch: ({ key, size, lastUse }) => {
      if (dayOf(lastUse) === dayOf(now())) return;
      note(state, { key, before: { size, lastUse }, after: { size, lastUse: now() }, at: now() });
    },
    noteRemoval: ({ key, size, lastUse }) =>
      note(state, { key, before: { size, lastUse }, at: now() }),
    noteCull: (removed) => {
      state.histogram.subtract(removed);
      state.known.clear();
      state.changed = true;
    },
    correct: () => {
      state.correcting ??= correct(state, options).finally(() => {
        state.correcting = undefined;
      });
      return state.correcting;
    },
    save: () => save(state, path),
  };
}

function note(state: State, change: Change): void {
  apply(state, change);
  state.journal?.push(change);
}

function apply(state: State, { key, before, after }: Change): void {
  const { histogram, known } = state;
  const was = known.get(key) ?? before;
  if (was !== undefined && was.size === after?.size) histogram.move(was, after.lastUse);
  else {
    if (was !== undefined) histogram.remove(was);
    if (after !== undefined) histogram.add(after);
  }
  known.delete(key);
  if (after !== undefined) known.set(key, after);
  for (const oldest of known.keys()) {
    if (known.size <= KNOWN) break;
    known.delete(oldest);
  }
  state.changed = true;
}

// A walk takes its time: what happened meanwhile it may have seen or not. Of what was used lately
// it tells each entry as it saw it, and the changes are made to that.
async function correct(state: State, { walk, now }: CensusOptions): Promise<WalkReport> {
  const journal: Change[] = [];
  state.journal = journal;
  try {
    const report = await walk();
    state.histogram = createHistogram(report.rows);
    state.known = new Map(report.recent);
    for (const change of journal) {
      // The walk may have waited its turn: what was noted before it began, it saw.
      if (change.at >= report.startedAt) apply(state, change);
    }
    state.correctedAt = now();
    state.changed = true;
    return report;
  } finally {
    state.journal = undefined;
  }
}

async function save(state: State, path: string): Promise<void> {
  if (!state.changed) return;
  state.changed = false;
  const { correctedAt, histogram } = state;
  try {
    const kept = { format: FORMAT, correctedAt, rows: histogram.rows() };
    await replaceFile(path, `${JSON.stringify(kept)}\n`);
  } catch (error) {
    state.changed = true;
    throw error;
  }
}

interface Kept {
  readonly format: typeof FORMAT;
  readonly correctedAt?: number;
  readonly rows: readonly DayRow[];
}

async function readState(path: string): Promise<State> {
  const { rows, correctedAt } = await readKept(path);
  return {
    histogram: createHistogram(rows),
    known: new Map(),
    journal: undefined,
    correcting: undefined,
    correctedAt,
    changed: false,
  };
}

// A count that cannot be read or understood is none: the first walk makes it.
async function readKept(path: string): Promise<Pick<Kept, 'rows' | 'correctedAt'>> {
  try {
    const kept = JSON.parse(await readText(path)) as Kept;
    return kept.format === FORMAT && kept.rows.every(isRow) ? kept : { rows: [] };
  } catch {
    return { rows: [] };
  }
}

function isRow(row: readonly unknown[]): boolean {
  const [day, entries, bytes] = row;
  return Number.isInteger(day) && isCount(entries) && isCount(bytes);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
