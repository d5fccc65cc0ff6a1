import { lstatSync, readdirSync } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { wayToRead } from '../system/way-out.ts';
import { cannotRead } from './repositories.ts';

/** A Manifest that was met. */
export interface MetManifest {
  /** Category and name: `sys-apps/which`. */
  readonly package: string;
  /** Tells one state of the file from any other. */
  readonly stamp: string;
}

/** What a repository holds. */
export interface Tree {
  readonly manifests: readonly MetManifest[];
  /** What could not be looked at: `''` for everything, a category, or a package. */
  readonly unread: ReadonlySet<string>;
  /** Why, a sentence each. */
  readonly problems: readonly string[];
}

/** Directories of a repository that hold no packages, and some of them much else. */
const others: ReadonlySet<string> = new Set([
  'distfiles',
  'eclass',
  'licenses',
  'metadata',
  'packages',
  'profiles',
  'scripts',
]);

/** What categories and packages are called (PMS section 3.1). */
const namePattern = /^\w[\w+.-]*$/;

/** Milliseconds: no file system tells times coarser than this. */
const COARSE = 2000;

/**
 * Looks at every Manifest of a repository, and reads none. Follows no symlink: what one leads to is
 * another repository's, or is met anyway. Synchronous, for a thread of its own.
 *
 * @param now milliseconds since the epoch
 */
export function lookAtTree(repository: string, now: number): Tree {
  const unread = new Set<string>();
  const problems: string[] = [];
  const attempt = <Result>(below: string, look: (path: string) => readonly Result[]) => {
    const path = below === '' ? repository : `${repository}/${below}`;
    try {
      return look(path);
    } catch (error) {
      // What is gone by now needs no reading.
      if (below !== '' && ['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return [];
      unread.add(below);
      problems.push(cannotRead(path, wayToRead(path, error)));
      return [];
    }
  };
  const categories = attempt('', directoriesIn).filter((name) => !others.has(name));
  const packages = categories.flatMap((category) =>
    attempt(category, directoriesIn).map((name) => `${category}/${name}`),
  );
  const manifests = packages.flatMap((name) =>
    attempt(name, (path) => stampsOf(`${path}/Manifest`, now)).map((stamp) => ({
      package: name,
      stamp,
    })),
  );
  return { manifests, unread, problems };
}

function directoriesIn(path: string): readonly string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((child) => child.isDirectory() && namePattern.test(child.name))
    .map(({ name }) => name);
}

/** One stamp, or none where there is no such file. */
function stampsOf(manifest: string, now: number): readonly string[] {
  const found = lstatSync(manifest, { throwIfNoEntry: false });
  if (found?.isFile() !== true) return [];
  const { mtimeMs, size, ino } = found;
  // What was written just now may be written once more and look the same: it is read again.
  return Math.abs(now - mtimeMs) < COARSE ? [`new:${now}`] : [`${mtimeMs}:${size}:${ino}`];
}
