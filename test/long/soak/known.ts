import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { distLine, plantRepository } from '../../helpers/repository.ts';
import { packageTruth } from './truth.ts';

const numbered = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, number) => `${prefix}-${number}.tar.xz`);

/** Distfiles that the Manifests know, and that everybody asks for. */
export const known: readonly string[] = [
  ...numbered(3, 'tiny-known'),
  ...numbered(6, 'small-known'),
  ...numbered(5, 'medium-known'),
  ...numbered(1, 'large-known'),
];
/** Those that rot on the disk. */
export const rotting: readonly string[] = numbered(4, 'medium-rotting');
/** Those that lie in a DISTDIR. */
export const imported: readonly string[] = numbered(6, 'small-imported');

/** Whether the Manifests have the file of that name. */
export function isKnown(target: string): boolean {
  return /-(known|rotting|imported)-/.test(target);
}

/** Lays out an ebuild repository that has them all. */
export function plantManifests(repository: string): void {
  const lines = [...known, ...rotting, ...imported].map((name) => distLine(name, bodyOf(name)));
  plantRepository(repository, { 'app-misc/soak': lines });
}

/** Lays out a DISTDIR, in which one file is not what its name says. */
export async function plantDistdir(directory: string): Promise<void> {
  await mkdir(directory);
  for (const [index, name] of imported.entries()) {
    await writeFile(join(directory, name), index === 0 ? 'another file' : bodyOf(name));
  }
}

function bodyOf(name: string): Buffer {
  const { size, read } = packageTruth(name);
  return read(0, size);
}
