import { dirname } from 'node:path';
import type { SourceUrl } from '../config/source-url.ts';

/** More groups than this and the oldest memory goes. */
const REMEMBERED = 10_000;

/**
 * Remembers which source last gave a mutable file of a group, so that an index and its signature
 * come from one mirror: mirrors lag behind each other, and a mixed pair fits nothing. A group is a
 * directory, or a suite of a Debian repository: its Release speaks of files far below.
 */
export interface Stickiness {
  /** The sources with that of the key's group in front, as long as it is not set aside. */
  order(key: string, sources: readonly SourceUrl[]): readonly SourceUrl[];
  note(key: string, source: SourceUrl): void;
}

/** Starts without memories; `usable` says whether a source may be preferred now. */
export function createStickiness(usable: (source: SourceUrl) => boolean): Stickiness {
  const chosen = new Map<string, string>();
  return {
    order: (key, sources) => {
      const url = chosen.get(groupOf(key));
      const preferred = sources.find((source) => source.url === url);
      if (preferred === undefined || !usable(preferred)) return sources;
      return [preferred, ...sources.filter((source) => source !== preferred)];
    },
    note: (key, source) => {
      const group = groupOf(key);
      chosen.delete(group);
      chosen.set(group, source.url);
      for (const oldest of chosen.keys()) {
        if (chosen.size <= REMEMBERED) return;
        chosen.delete(oldest);
      }
    },
  };
}

function groupOf(key: string): string {
  return /^(?:.*?\/)?dists\/[^/]+(?=\/)/s.exec(key)?.[0] ?? dirname(key);
}
