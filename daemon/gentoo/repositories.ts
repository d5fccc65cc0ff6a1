import { readdirSync, realpathSync, statSync } from 'node:fs';
import { CacheError } from '../errors.ts';
import { wayToRead } from '../system/way-out.ts';

/** What the paths of MANIFESTS come to. */
export interface FoundRepositories {
  /** The repositories' directories, each once. */
  readonly found: readonly string[];
  /** Why a path leads to none, a sentence each. */
  readonly problems: ReadonlyMap<string, string>;
}

/** A directory that has one of these is a repository (PMS chapter 4). */
const signs: readonly string[] = ['profiles', 'metadata'];

const NONE = 'it is no Gentoo repository';

/**
 * The repositories that paths lead to: a path is one, or a directory that holds some, such as
 * /var/db/repos. Those that are known and cannot be found now are a problem, unless they are gone.
 * Synchronous, for a thread of its own or a program that does nothing else.
 */
export function findRepositories(
  paths: readonly string[],
  known: ReadonlySet<string> = new Set(),
): FoundRepositories {
  const found = new Map<string, string>();
  const problems = new Map<string, string>();
  /** Whether there is one at a path, or should be. */
  const visit = (path: string, whyNot: () => string | undefined): boolean => {
    let reason: string | undefined;
    try {
      if (isRepository(path)) {
        const real = realpathSync(path);
        // Several ways may lead to one; what stands first in MANIFESTS is its name.
        if (!found.has(real)) found.set(real, path);
        return true;
      }
      reason = whyNot();
    } catch (cause) {
      reason = wayToRead(path, cause);
    }
    if (reason !== undefined) problems.set(path, cannotRead(path, reason));
    return reason !== undefined;
  };
  // What was one may be a mount point without its file system.
  const visitChild = (path: string) => visit(path, () => (known.has(path) ? NONE : undefined));
  for (const path of paths) {
    visit(path, () => {
      const some = directoriesIn(path).map(visitChild).includes(true);
      return some ? undefined : `${NONE}, nor is there one in it`;
    });
  }
  return { found: [...found.values()], problems };
}

/** The sentence for a repository, or what is in it. */
export function cannotRead(path: string, reason: string): string {
  return new CacheError('storage', { verb: 'read', thing: path, reason }).message;
}

function isRepository(path: string): boolean {
  return signs.some((sign) =>
    statSync(`${path}/${sign}`, { throwIfNoEntry: false })?.isDirectory(),
  );
}

function directoriesIn(path: string): readonly string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((child) => child.isDirectory() || child.isSymbolicLink())
    .filter(({ name }) => /^\w[^\n]*$/.test(name) && name !== 'lost+found')
    .map(({ name }) => `${path}/${name}`);
}
