import type { BigIntStats, Stats } from 'node:fs';
import type { SharedHandle } from './body.ts';

/** A stored file and what we know of it. */
export interface Entry {
  readonly key: string;
  /** Where it lies: the key's own path, or `.package-cache-self` below it. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Last-Modified, whole seconds since the epoch. */
  readonly mtime: number;
  /** When the bytes were last changed, as precisely as the disk has it, in ms. */
  readonly modified: number;
  readonly inode: number;
  /** When a client was last served, milliseconds since the epoch. */
  readonly lastUse: number;
  /** Open for reading; whoever looked the entry up releases it. */
  readonly file: SharedHandle;
  /** The whole body, where it is small and asked for again and again. */
  readonly bytes?: Buffer;
}

/** Whole seconds of a file's mtime, which is the entry's Last-Modified. */
export function mtimeOf(stat: Stats): number {
  return Math.floor(stat.mtimeMs / 1000);
}

/**
 * When an entry was last served: serving sets both times, a foreign read under relatime moves only
 * atime, a chown or a link only ctime.
 */
export function lastUseOf(stat: Stats | BigIntStats): number {
  return Math.min(Number(stat.atimeMs), Number(stat.ctimeMs));
}

/**
 * The strong entity tag of a file, in the form nginx gives it, so that a resume may move between
 * a mirror that runs nginx and us.
 */
export function etagOf(mtime: number, size: number): string {
  return `"${mtime.toString(16)}-${size.toString(16)}"`;
}
