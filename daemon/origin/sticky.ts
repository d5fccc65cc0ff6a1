import type { SourceUrl } from '../config/source-url.ts';

/** More directories than this and the oldest memory goes. */
const REMEMBERED = 10_000;

/**
 * Remembers which source last gave a mutable file of a directory, so that an index and its
 * signature come from one mirror: mirrors lag behind each other, and a mixed pair fits nothing.
 */
export interface Stickiness {
  /** The sources with the directory's own in front, as long as it is not set aside. */
  order(directory: string, sources: readonly SourceUrl[]): readonly SourceUrl[];
  note(directory: string, source: SourceUrl): void;
}

/** Starts without memories; `usable` says whether a source may be preferred now. */
export function createStickiness(usable: (source: SourceUrl) => boolean): Stickiness {
  const chosen = new Map<string, string>();
  return {
    order: (directory, sources) => {
      const url = chosen.get(directory);
      const preferred = sources.find((source) => source.url === url);
      if (preferred === undefined || !usable(preferred)) return sources;
      return [preferred, ...sources.filter((source) => source !== preferred)];
    },
    note: (directory, source) => {
      chosen.delete(directory);
      chosen.set(directory, source.url);
      for (const oldest of chosen.keys()) {
        if (chosen.size <= REMEMBERED) return;
        chosen.delete(oldest);
      }
    },
  };
}
