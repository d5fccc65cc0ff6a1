import { randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** As many directories as a Gentoo mirror has. */
const FOLDERS = 256;

/** A file to lay down. */
export interface Planned {
  /** Below the tree, with a slash before it, as it is asked for. */
  readonly path: string;
  readonly size: number;
}

/** Lays down files, which makes them entries of a cache, and answers the tree they are in. */
export function layDown(directory: string, files: Iterable<Planned>): string {
  const megabyte = randomBytes(1024 ** 2);
  return create({ directory, files }, (descriptor, size) => {
    for (let left = size; left > 0; left -= megabyte.length) {
      writeSync(descriptor, megabyte, 0, Math.min(left, megabyte.length));
    }
  });
}

/** The same with files that read as zeros and take no room on the disk. */
export function layDownSparse(directory: string, files: Iterable<Planned>): string {
  return create({ directory, files }, ftruncateSync);
}

/** The path of one of many files, spread as a Gentoo mirror spreads them. */
export function manyPath(index: number): string {
  const folder = (index % FOLDERS).toString(16).padStart(2, '0');
  return `/distfiles/${folder}/package-${index}-1.0.tar.gz`;
}

/** Files of one byte, as many as wanted. */
export function* manyTiny(count: number): Generator<Planned> {
  for (let index = 0; index < count; index += 1) yield { path: manyPath(index), size: 1 };
}

interface Plan {
  readonly directory: string;
  readonly files: Iterable<Planned>;
}

function create(
  { directory, files }: Plan,
  fill: (descriptor: number, size: number) => void,
): string {
  const tree = join(directory, 'tree');
  const known = new Set<string>();
  for (const { path, size } of files) {
    const file = join(tree, path);
    const folder = dirname(file);
    if (!known.has(folder)) mkdirSync(folder, { recursive: true });
    known.add(folder);
    const descriptor = openSync(file, 'wx');
    fill(descriptor, size);
    closeSync(descriptor);
  }
  return tree;
}
