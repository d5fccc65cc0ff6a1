/** What the visits came to. */
export interface Tally {
  /** How often each thing happened. */
  readonly counts: ReadonlyMap<string, number>;
  /** What must not happen, as far as it is kept. */
  readonly wrongs: readonly string[];
  count(what: string): void;
  wrong(what: string): void;
}

/** Enough to see what it is. */
const MOST_WRONGS = 50;

/** Starts at nought. */
export function createTally(): Tally {
  const counts = new Map<string, number>();
  const wrongs: string[] = [];
  return {
    counts,
    wrongs,
    count: (what) => void counts.set(what, (counts.get(what) ?? 0) + 1),
    wrong: (what) => {
      if (wrongs.length < MOST_WRONGS) wrongs.push(`${new Date().toISOString()} ${what}`);
    },
  };
}
