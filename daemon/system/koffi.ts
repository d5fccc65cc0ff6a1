import { constants } from 'node:os';

/** The C library that Node itself runs on. */
export interface NativeLibrary {
  /** A function by its C prototype. */
  func<Call extends (...values: never[]) => unknown>(prototype: string): Call;
  /** errno(3) of the call before. */
  errno(): number;
  /** The address of a buffer's bytes, which stay where they are. */
  address(bytes: Buffer): bigint;
  /** The size of a C type in bytes. */
  sizeof(type: string): number;
}

/**
 * Loads libc through koffi, the one optional native dependency; undefined where it is not
 * installed or has no build for this machine, and the caller's fallback serves.
 */
export async function loadNative(): Promise<NativeLibrary | undefined> {
  try {
    const { default: koffi } = await import('koffi');
    const library = koffi.load(null);
    return {
      func: <Call>(prototype: string) => library.func(prototype) as unknown as Call,
      errno: () => koffi.errno(),
      address: (bytes) => koffi.address(bytes),
      sizeof: (type) => koffi.sizeof(type),
    };
  } catch {
    return undefined;
  }
}

/** The name of an errno, such as `EAGAIN`. */
export function errnoName(errno: number): string {
  const name = Object.entries(constants.errno).find(([, value]) => value === errno)?.[0];
  return name ?? `errno ${errno}`;
}
