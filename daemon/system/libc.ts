import { loadNative } from './koffi.ts';

/** The few libc functions that Node lacks. */
export interface Libc {
  /** flock(2): 0, or the errno when it fails. */
  flock(descriptor: number, operation: number): number;
}

/** flock(2) operations. */
export const LOCK_EX = 2;
export const LOCK_NB = 4;

/** Loads them; undefined without koffi. */
export async function loadLibc(): Promise<Libc | undefined> {
  const native = await loadNative();
  if (native === undefined) return undefined;
  const flock = native.func<(descriptor: number, operation: number) => number>(
    'int flock(int descriptor, int operation)',
  );
  return {
    flock: (descriptor, operation) => (flock(descriptor, operation) === 0 ? 0 : native.errno()),
  };
}
