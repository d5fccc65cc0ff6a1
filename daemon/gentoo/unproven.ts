import type { Digest } from './digest-table.ts';

/** More names than this are not remembered: the nightly checks find what is forgotten. */
const REMEMBERED = 10_000;

/** The distfiles that are stored and that nobody has held against what the Manifests say now. */
export interface Unproven {
  /** A file was stored of which no Manifest had a word. */
  note(name: string): void;
  /** The Manifests want other files of these names than they did. */
  lost(names: readonly string[]): void;
  /** The Manifests were read: whatever they can prove by now is due. */
  read(): void;
  /** Hands what is due over, now and from now on. */
  attend(recheck: (names: readonly string[]) => void): void;
}

/** Starts without any; `digestsOf` tells what the Manifests say of a name. */
export function createUnproven(digestsOf: (name: string) => readonly Digest[]): Unproven {
  const waiting = new Set<string>();
  const due = new Set<string>();
  let recheck: ((names: readonly string[]) => void) | undefined;
  const handOver = (): void => {
    if (recheck === undefined || due.size === 0) return;
    recheck([...due]);
    due.clear();
  };
  return {
    note: (name) => {
      waiting.add(name);
      const [oldest = ''] = waiting;
      if (waiting.size > REMEMBERED) waiting.delete(oldest);
    },
    lost: (names) => {
      for (const name of names) due.add(name);
    },
    read: () => {
      for (const name of waiting) {
        if (digestsOf(name).length === 0) continue;
        waiting.delete(name);
        due.add(name);
      }
      handOver();
    },
    attend: (attendant) => {
      recheck = attendant;
      handOver();
    },
  };
}
