/** Milliseconds of a day; days are counted from the epoch, in UTC. */
export const DAY = 86_400_000;

/** Of how many entries a day was the last use, and how many bytes they have. */
export type DayRow = readonly [day: number, entries: number, bytes: number];

/** A number of entries, and their bytes. */
export interface Amount {
  readonly entries: number;
  readonly bytes: number;
}

/** An entry as it counts here. */
export interface Use {
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly lastUse: number;
}

/** Entries and bytes by day of last use; pure, and kept or sent as its rows. */
export interface Histogram {
  add(use: Use): void;
  /** Takes away no more than is there: what is noted may have drifted from what is stored. */
  remove(use: Use): void;
  /** Moves an entry to the day of a later use; the totals stay. */
  move(use: Use, lastUse: number): void;
  /** Takes away what other rows count, and no more than is there. */
  subtract(rows: Iterable<DayRow>): void;
  totals(): Amount;
  /** What was last used before a day. */
  before(day: number): Amount;
  /**
   * The day up to and with which removing everything frees so many bytes: `Infinity` when all of
   * it is not enough, `-Infinity` when nothing has to go.
   */
  cutOff(bytesToFree: number): number;
  /** The oldest day first. */
  rows(): DayRow[];
}

/** What culling by age would free. */
export interface Reclaimable extends Amount {
  /** As `cull --older-than` takes it. */
  readonly age: string;
}

/** Entries by the age of their last use. */
export interface AgeRow extends Amount {
  /** As `cull --older-than` takes it; `0` for now. */
  readonly from: string;
  /** Null for the oldest. */
  readonly to: string | null;
}

const ages: readonly (readonly [age: string, days: number])[] = [
  ['30d', 30],
  ['90d', 90],
  ['180d', 180],
  ['1y', 365],
];

/** The day of a time in milliseconds since the epoch. */
export function dayOf(milliseconds: number): number {
  return Math.floor(milliseconds / DAY);
}

/** A histogram of these rows. */
export function createHistogram(rows: Iterable<DayRow> = []): Histogram {
  const days = new Map<number, Amount>();
  const put = (day: number, { entries, bytes }: Amount): void => {
    const there = days.get(day) ?? { entries: 0, bytes: 0 };
    days.set(day, { entries: there.entries + entries, bytes: there.bytes + bytes });
  };
  const take = (day: number, wanted: Amount): Amount => {
    const there = days.get(day) ?? { entries: 0, bytes: 0 };
    const entries = Math.min(wanted.entries, there.entries);
    // A day's last entry takes along what is left of its bytes.
    const bytes = entries === there.entries ? there.bytes : Math.min(wanted.bytes, there.bytes);
    if (entries === there.entries) days.delete(day);
    else days.set(day, { entries: there.entries - entries, bytes: there.bytes - bytes });
    return { entries, bytes };
  };
  for (const [day, entries, bytes] of rows) put(day, { entries, bytes });
  const sorted = () =>
    [...days]
      .sort(([a], [b]) => a - b)
      .map(([day, { entries, bytes }]) => row(day, entries, bytes));
  return {
    add: (use) => put(dayOf(use.lastUse), one(use)),
    remove: (use) => void take(dayOf(use.lastUse), one(use)),
    move: (use, lastUse) => {
      const taken = take(dayOf(use.lastUse), one(use));
      if (taken.entries > 0) put(dayOf(lastUse), taken);
    },
    subtract: (others) => {
      for (const [day, entries, bytes] of others) take(day, { entries, bytes });
    },
    totals: () => sum(sorted()),
    before: (limit) => sum(sorted().filter(([day]) => day < limit)),
    cutOff: (bytesToFree) => findCutOff(sorted(), bytesToFree),
    rows: sorted,
  };
}

/**
 * What culling by the usual ages would free at least: a day counts once all of it is that old.
 */
export function reclaimable(histogram: Histogram, now: number): readonly Reclaimable[] {
  return ages.map(([age, days]) => ({ age, ...histogram.before(dayOf(now - days * DAY)) }));
}

const bounds: readonly (readonly [age: string, days: number])[] = [
  ['1d', 1],
  ['1w', 7],
  ...ages,
  ['2y', 730],
];

/** All entries by age of last use, the youngest first; the bounds are those of whole days. */
export function byAge(histogram: Histogram, now: number): readonly AgeRow[] {
  let younger: Amount & { readonly age: string } = { age: '0', ...histogram.totals() };
  const rows: AgeRow[] = [];
  for (const [age, days] of bounds) {
    const older = histogram.before(dayOf(now - days * DAY));
    const entries = younger.entries - older.entries;
    rows.push({ from: younger.age, to: age, entries, bytes: younger.bytes - older.bytes });
    younger = { age, ...older };
  }
  const { age, entries, bytes } = younger;
  return [...rows, { from: age, to: null, entries, bytes }];
}

function findCutOff(rows: readonly DayRow[], bytesToFree: number): number {
  if (bytesToFree <= 0) return Number.NEGATIVE_INFINITY;
  let freed = 0;
  for (const [day, , bytes] of rows) {
    freed += bytes;
    if (freed >= bytesToFree) return day;
  }
  return Number.POSITIVE_INFINITY;
}

function one({ size }: Use): Amount {
  return { entries: 1, bytes: size };
}

function row(day: number, entries: number, bytes: number): DayRow {
  return [day, entries, bytes];
}

function sum(rows: readonly DayRow[]): Amount {
  return rows.reduce<Amount>(
    (total, [, entries, bytes]) => ({
      entries: total.entries + entries,
      bytes: total.bytes + bytes,
    }),
    { entries: 0, bytes: 0 },
  );
}
