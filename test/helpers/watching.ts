import { once } from 'node:events';
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Tries until there is something, again whenever a file of the folder has changed. */
export async function whenThere<Result>(
  folder: string,
  attempt: () => Promise<Result | undefined>,
): Promise<Result> {
  const watcher = watch(folder);
  try {
    for (;;) {
      // Listened for before the look: what changes during it asks for another one.
      const changed = once(watcher, 'change');
      const result = await attempt();
      if (result !== undefined) return result;
      await changed;
    }
  } finally {
    watcher.close();
  }
}

/** The lines of a growing file through the first that matches. */
export async function linesThrough(path: string, last: RegExp): Promise<string[]> {
  return whenThere(dirname(path), async () => {
    const lines = (await readFile(path, 'utf8').catch(() => '')).split('\n').slice(0, -1);
    const end = lines.findIndex((line) => last.test(line));
    return end < 0 ? undefined : lines.slice(0, end + 1);
  });
}
