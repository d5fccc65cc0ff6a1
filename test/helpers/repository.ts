import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Long ago, in seconds: what was written just now is read by every scan. */
export const longAgo = 1_735_689_600;

/** A DIST line for a body, or for one that is only named by a seed and a size. */
export function distLine(name: string, body: Buffer | string = name, size?: number): string {
  const hash = (algorithm: string) => createHash(algorithm).update(body).digest('hex');
  const bytes = size ?? Buffer.byteLength(body);
  return `DIST ${name} ${bytes} BLAKE2B ${hash('blake2b512')} SHA512 ${hash('sha512')}`;
}

/** Lays out an ebuild repository with a Manifest for each package: `sys-apps/which`. */
export function plantRepository(
  path: string,
  manifests: Readonly<Record<string, readonly string[]>> = {},
): void {
  for (const file of ['profiles/repo_name', 'metadata/layout.conf']) {
    plantFile(`${path}/${file}`, '');
  }
  for (const [name, lines] of Object.entries(manifests)) plantManifest(`${path}/${name}`, lines);
}

/** Writes the Manifest of a package anew, as a sync does: in another inode, and long ago. */
export function plantManifest(directory: string, lines: readonly string[]): void {
  plantFile(`${directory}/Manifest`, lines.map((line) => `${line}\n`).join(''));
}

function plantFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, text);
  utimesSync(`${path}.new`, longAgo, longAgo);
  renameSync(`${path}.new`, path);
}

/** How many Manifests and DIST lines ::gentoo has, more or less. */
export const gentooSize = { manifests: 19_000, lines: 100_000 };

/** A repository as large as ::gentoo, with an ebuild and a metadata.xml beside each Manifest. */
export function plantGentoo(path: string): void {
  plantRepository(path);
  const { manifests, lines } = gentooSize;
  for (let index = 0, line = 0; index < manifests; index += 1) {
    const name = `package-${index.toString(36)}`;
    const directory = `${path}/category-${index % 170}/${name}`;
    const until = Math.round(((index + 1) * lines) / manifests);
    const dist: string[] = [];
    for (; line < until; line += 1) {
      dist.push(distLine(`${name}-library-part-${line}.${line % 7}.tar.xz`, '', line));
    }
    plantManifest(directory, dist);
    plantFile(`${directory}/${name}-1.0.ebuild`, '');
    plantFile(`${directory}/metadata.xml`, '');
  }
}
