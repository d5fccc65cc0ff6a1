/** The few libc functions that Node lacks. */
export interface Libc {
  /** flock(2): 0, or the errno when it fails. */
  flock(descriptor: number, operation: number): number;
}

/** flock(2) operations. */
export const LOCK_EX = 2;
export const LOCK_NB = 4;

/**
 * Loads libc through koffi, the one optional native dependency; undefined where it is not
 * installed or has no build for this machine, and the caller's fallback serves.
 */
export async function loadLibc(): Promise<Libc | undefined> {
  try {
    const { default: koffi } = await import('koffi');
    const library = koffi.load(null);
    const flock: (descriptor: number, operation: number) => number = library.func(
      'int flock(int descriptor, int operation)',
    );
    return {
      flock: (descriptor, operation) => (flock(descriptor, operation) === 0 ? 0 : koffi.errno()),
    };
  } catch {
    return undefined;
  }
}
