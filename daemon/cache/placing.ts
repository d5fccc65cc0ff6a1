import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf } from '../errors.ts';
import { makeDirectory, syncDirectory } from './durable.ts';
import { type Layout, SELF_NAME } from './layout.ts';

/** A whole file, and the key it is to become the entry of. */
export interface Placing {
  readonly from: string;
  readonly key: string;
}

const collisions = ['EISDIR', 'ENOTEMPTY', 'ENOTDIR', 'EEXIST', 'ENOENT'];

/**
 * Makes the directory of an entry ahead of the turn, so that nobody's turn waits for the disk; what
 * is in its way is moved in the turn.
 */
export async function prepareFolder(
  folder: string,
  make: (path: string) => Promise<void>,
): Promise<void> {
  try {
    await make(folder);
  } catch (error) {
    if (!collisions.includes(errnoOf(error) ?? '')) throw error;
  }
}

/** Moves a file to where the entry of its key lives, and returns that path. */
export async function place(layout: Layout, placing: Placing): Promise<string> {
  // Whoever else works in this tree may come between our look and our rename: look again.
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (attempt > 1) await makeWay(layout, placing.key);
      return await tryPlace(layout, placing);
    } catch (error) {
      if (attempt === 3 || !collisions.includes(errnoOf(error) ?? '')) throw error;
    }
  }
}

async function tryPlace(layout: Layout, { from, key }: Placing): Promise<string> {
  const plain = layout.entry(key);
  await makeDirectory(dirname(plain));
  const isDirectory = await stat(plain).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const path = isDirectory ? layout.self(key) : plain;
  await rename(from, path);
  return path;
}

/** Turns every stored document that stands where the key needs a directory into `<it>/<self>`. */
async function makeWay(layout: Layout, key: string): Promise<void> {
  const components = key.split('/');
  for (let depth = 1; depth < components.length; depth += 1) {
    const ancestor = layout.entry(components.slice(0, depth).join('/'));
    const found = await stat(ancestor).catch(() => undefined);
    if (!found?.isFile()) continue;
    await makeDirectory(layout.movingFolder);
    const folder = await mkdtemp(join(layout.movingFolder, 'document-'));
    await rename(ancestor, join(folder, SELF_NAME));
    await rename(folder, ancestor).catch(async (error: unknown) => {
      await rm(folder, { recursive: true });
      throw error;
    });
    await syncDirectory(dirname(ancestor));
  }
}
