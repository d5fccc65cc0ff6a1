import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A file to lay down. */
export interface Planned {
  /** Below the tree, with a slash before it, as it is asked for. */
  readonly path: string;
  readonly size: number;
}

/** Lays down files, which makes them entries of a cache, and answers the tree they are in. */
export function layDown(directory: string, files: readonly Planned[]): string {
  const tree = join(directory, 'tree');
  const megabyte = randomBytes(1024 ** 2);
  for (const { path, size } of files) {
    const file = join(tree, path);
    mkdirSync(dirname(file), { recursive: true });
    const descriptor = openSync(file, 'wx');
    for (let left = size; left > 0; left -= megabyte.length) {
      writeSync(descriptor, megabyte, 0, Math.min(left, megabyte.length));
    }
    closeSync(descriptor);
  }
  return tree;
}
