import type { FileHandle } from 'node:fs/promises';

/** Bytes and where in a file they belong. */
export interface Write {
  readonly handle: FileHandle;
  readonly batch: readonly Buffer[];
  readonly position: number;
}

/**
 * Writes all of a batch: writev(2) may write less than it was given, on a disk that is almost full
 * above all.
 */
export async function writeAll({ handle, batch, position }: Write): Promise<void> {
  let rest = batch;
  let at = position;
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest, at);
    at += bytesWritten;
    rest = skip(rest, bytesWritten);
  }
}

/** What is left of a batch behind its first bytes. */
export function skip(batch: readonly Buffer[], bytes: number): Buffer[] {
  let left = bytes;
  const rest: Buffer[] = [];
  for (const chunk of batch) {
    if (left < chunk.length) rest.push(left > 0 ? chunk.subarray(left) : chunk);
    left = Math.max(0, left - chunk.length);
  }
  return rest;
}
