import { dirname } from 'node:path';
import { cannotRead, findRepositories } from './repositories.ts';
import type { KeptManifest, Snapshot } from './snapshot.ts';
import { lookAtTree } from './tree.ts';

/** A Manifest that is to be known. */
export interface PlannedManifest {
  readonly package: string;
  readonly stamp: string;
  /** What is known of it from before. */
  readonly known: KeptManifest | undefined;
  /** Whether it has to be read. */
  readonly changed: boolean;
}

/** What is to be known of one repository, or of a path that leads to none. */
export interface Plan {
  readonly path: string;
  readonly manifests: readonly PlannedManifest[];
  /** What could not be looked at, a sentence each. */
  readonly problems: readonly string[];
}

/** Where to look, and what is known from before. */
export interface PlanOrder {
  /** MANIFESTS. */
  readonly paths: readonly string[];
  readonly former: Snapshot | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

type Known = ReadonlyMap<string, KeptManifest>;

const nothing: Known = new Map();

/**
 * Looks at all repositories and reads no Manifest: what is as it was need not be read again, and of
 * what cannot be looked at, that which was known stays.
 */
export function planScan({ paths, former, now }: PlanOrder): readonly Plan[] {
  const known: ReadonlyMap<string, Known> = former?.repositories ?? new Map();
  const { found, problems } = findRepositories(paths, new Set(known.keys()));
  const hidden = [...known.keys()].filter(
    (path) => !found.includes(path) && (problems.has(path) || problems.has(dirname(path))),
  );
  const others = [...problems.keys()].filter((path) => !known.has(path));
  return [
    ...found.map((path) => planRepository({ path, known: known.get(path) ?? nothing, now })),
    ...[...hidden, ...others].map((path) => ({
      path,
      manifests: keepAll(known.get(path) ?? nothing),
      problems: [problems.get(path) ?? []].flat(),
    })),
  ];
}

interface Seen {
  readonly path: string;
  readonly known: Known;
  readonly now: number;
}

function planRepository({ path, known, now }: Seen): Plan {
  const { manifests, unread, problems } = lookAtTree(path, now);
  if (manifests.length === 0 && unread.size === 0 && known.size > 0) {
    // A sync that broke off, or a file system that is not mounted.
    const empty = cannotRead(path, 'there is no Manifest in it any more');
    return { path, manifests: keepAll(known), problems: [empty] };
  }
  const isUnread = (name: string) =>
    unread.has('') || unread.has(dirname(name)) || unread.has(name);
  return {
    path,
    manifests: [
      ...manifests.map(({ package: name, stamp }) => {
        const before = known.get(name);
        return { package: name, stamp, known: before, changed: before?.stamp !== stamp };
      }),
      ...keepAll(unread.size === 0 ? nothing : known).filter(({ package: name }) => isUnread(name)),
    ],
    problems,
  };
}

function keepAll(known: Known): readonly PlannedManifest[] {
  return [...known.values()].map((one) => ({
    package: one.package,
    stamp: one.stamp,
    known: one,
    changed: false,
  }));
}
