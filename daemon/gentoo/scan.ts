import { countDigests, type DigestCounts, type DigestRows, findDigests } from './digest-table.ts';
import { parseDistLines } from './dist-line.ts';
import { createGatherer } from './gather.ts';
import { learn } from './learn.ts';
import { type Plan, planScan } from './plan.ts';
import {
  createSnapshot,
  type KeptManifest,
  type ManifestRecord,
  openSnapshot,
  type Snapshot,
} from './snapshot.ts';

/** What is to be scanned. */
export interface ScanOrder {
  /** MANIFESTS. */
  readonly paths: readonly string[];
  /** The path of the snapshot. */
  readonly snapshot: string;
  /** The checksum of the snapshot whose digests whoever asks has already. */
  readonly since?: string | undefined;
}

/** How a repository, or a path that leads to none, is doing. */
export interface ScannedRepository {
  readonly path: string;
  readonly manifests: number;
  readonly digests: number;
  /** DIST lines that were passed over. */
  readonly malformed: number;
  /** What could not be read, in a sentence; what was known of that from before still holds. */
  readonly problem: string | undefined;
}

/** All that Manifests tell. */
export interface Gathered extends DigestCounts {
  readonly rows: DigestRows;
  /** The directories of the packages, by the indices in the rows. */
  readonly packages: readonly string[];
  /** Names that have lost a digest which they had, and have another. */
  readonly lost: readonly string[];
  /** Of the snapshot that has all this; undefined when it could not be kept. */
  readonly checksum?: string;
  /** Why it could not be kept. */
  readonly failure?: string;
}

/** What a scan found. */
export interface ScanResult {
  readonly repositories: readonly ScannedRepository[];
  /** Undefined when all is as it was in the snapshot `since`. */
  readonly gathered: Gathered | undefined;
}

/**
 * Learns what Manifests tell, from the former snapshot and from those that have changed, and keeps
 * it in a new snapshot. Synchronous, for a thread of its own.
 *
 * @param now milliseconds since the epoch
 */
export function scan({ paths, snapshot, since }: ScanOrder, now: number): ScanResult {
  const former = openSnapshot(snapshot);
  try {
    const plans = planScan({ paths, former, now });
    if (former !== undefined && former.checksum === since && isAsBefore(plans, former)) {
      return { repositories: plans.map(reportKnown), gathered: undefined };
    }
    return gather({ plans, former, snapshot });
  } finally {
    former?.close();
  }
}

function isAsBefore(plans: readonly Plan[], { repositories }: Snapshot): boolean {
  const planned = plans.flatMap(({ manifests }) => manifests);
  const before = [...repositories.values()].reduce((sum, { size }) => sum + size, 0);
  return planned.length === before && planned.every(({ changed }) => !changed);
}

function reportKnown({ path, manifests, problems }: Plan): ScannedRepository {
  return reportOf({ path, records: manifests.flatMap(({ known }) => known ?? []), problems });
}

interface Reported {
  readonly path: string;
  readonly records: readonly ManifestRecord[];
  readonly problems: readonly string[];
}

function reportOf({ path, records, problems }: Reported): ScannedRepository {
  const others = problems.length - 1;
  return {
    path,
    manifests: records.length,
    digests: records.reduce((sum, { digests }) => sum + digests, 0),
    malformed: records.reduce((sum, { malformed }) => sum + malformed, 0),
    problem: others > 0 ? `${problems[0]} (and ${others} more)` : problems[0],
  };
}

interface Gathering {
  readonly plans: readonly Plan[];
  readonly former: Snapshot | undefined;
  readonly snapshot: string;
}

function gather({ plans, former, snapshot }: Gathering): ScanResult {
  const gatherer = createGatherer();
  const writer = createSnapshot(snapshot);
  const packages: string[] = [];
  const present = new Set<ManifestRecord>();
  const repositories = plans.map(({ path, manifests, problems }) => {
    writer.repository(path);
    const unread = [...problems];
    const onProblem = (problem: string) => unread.push(problem);
    const records = manifests.flatMap((planned) => {
      const directory = `${path}/${planned.package}`;
      const learnt = learn({ ...planned, directory, onProblem });
      if (learnt === undefined) return [];
      const index = packages.push(directory) - 1;
      for (const line of learnt.lines) gatherer.add({ ...line, package: index });
      writer.manifest(learnt.record, learnt.text);
      present.add(learnt.record);
      return learnt.record;
    });
    return reportOf({ path, records, problems: unread });
  });
  const kept = writer.commit();
  const rows = gatherer.rows();
  const lost = findLost(recordsGone(former, present), rows);
  return { repositories, gathered: { rows, packages, lost, ...countDigests(rows), ...kept } };
}

function recordsGone(
  former: Snapshot | undefined,
  present: ReadonlySet<ManifestRecord>,
): readonly KeptManifest[] {
  const before = [...(former?.repositories.values() ?? [])].flatMap((one) => [...one.values()]);
  return before.filter((record) => !present.has(record));
}

/** Names of former Manifests whose digest there is none of the present ones, if there are any. */
function findLost(gone: readonly KeptManifest[], rows: DigestRows): readonly string[] {
  const lost = new Set<string>();
  for (const record of gone) {
    for (const { name, digest } of parseDistLines(record.text()).lines) {
      const present = findDigests(rows, name);
      const holds = present.some(({ size, hash }) => size === digest.size && hash === digest.hash);
      if (present.length > 0 && !holds) lost.add(name);
    }
  }
  return [...lost];
}
