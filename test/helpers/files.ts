import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** A directory that is gone with the test. */
export async function tempDir(t: ExecutionContext): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'package-cache-')));
  t.teardown(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}

/** Writes files with the directories they need. */
export async function writeTree(
  directory: string,
  files: Readonly<Record<string, Buffer | string>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), content);
  }
}
