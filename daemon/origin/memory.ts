/** More keys than this are not remembered at once. */
const REMEMBERED = 10_000;

/** Facts about keys that are true for a while. */
export interface Memory<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  /** How many facts are kept. */
  readonly size: number;
  /** Forgets all keys that match. */
  forget(matches: (key: string) => boolean): void;
}

/** Remembers each fact for `lifetime()` milliseconds, and the oldest ones no longer when full. */
export function createMemory<Value>(lifetime: () => number): Memory<Value> {
  const kept = new Map<string, { readonly value: Value; readonly at: number }>();
  const isTrue = ({ at }: { readonly at: number }) => Date.now() - at < lifetime();
  return {
    get: (key) => {
      const found = kept.get(key);
      if (found === undefined) return undefined;
      if (isTrue(found)) return found.value;
      kept.delete(key);
      return undefined;
    },
    set: (key, value) => {
      kept.delete(key);
      kept.set(key, { value, at: Date.now() });
      // Nobody may ask for any of these again: names that do not exist are without number.
      for (const [oldest, fact] of kept) {
        if (kept.size <= REMEMBERED && isTrue(fact)) return;
        kept.delete(oldest);
      }
    },
    get size() {
      return kept.size;
    },
    forget: (matches) => {
      for (const key of kept.keys()) if (matches(key)) kept.delete(key);
    },
  };
}
