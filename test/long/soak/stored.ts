import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createLayout, SELF_NAME } from '../../../daemon/cache/layout.ts';
import { filesBelow } from '../../helpers/entries.ts';
import { indexTruth, packageTruth } from './truth.ts';

/** The files of a cache whose bytes are not what their names promise, and what should not be there. */
export async function faultsOf(cacheDir: string): Promise<readonly string[]> {
  const files = await filesBelow(cacheDir);
  const wrong: string[] = [];
  for (const file of files) if (!(await isRight(cacheDir, file))) wrong.push(file);
  return [...wrong, ...(await leftOvers(cacheDir))];
}

async function isRight(cacheDir: string, file: string): Promise<boolean> {
  const path = join(cacheDir, file);
  const target = `/${file.replace(`/${SELF_NAME}`, '')}`;
  const version = Math.floor((await stat(path)).mtimeMs / 1000);
  const { size, read } = target.startsWith('/dists/')
    ? indexTruth(target, version)
    : packageTruth(target);
  return (await readFile(path)).equals(read(0, size));
}

async function leftOvers(cacheDir: string): Promise<readonly string[]> {
  const { movingFolder, partialFolder, metaFolder } = createLayout(cacheDir);
  const found = [movingFolder, partialFolder, metaFolder].map(async (folder) => {
    const names = await readdir(folder, { recursive: true }).catch(() => []);
    return names.filter((name) => folder === movingFolder || name.endsWith('.new'));
  });
  return (await Promise.all(found)).flat();
}
