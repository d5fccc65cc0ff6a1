import { basename, dirname } from 'node:path';
import { removeFile } from '../cache/durable.ts';
import { describe } from '../errors.ts';
import { type Clock, systemClock } from '../schedule.ts';
import { collectGarbage } from '../system/garbage.ts';
import type { Log } from '../system/log.ts';
import { createDigestRows, findDigests, findPackages } from './digest-table.ts';
import type { Manifests, PackagePlace } from './manifests.ts';
import { readMarks } from './marks.ts';
import type { Gathered, ScannedRepository, ScanResult } from './scan.ts';
import { type ScanThread, startScan } from './scan-thread.ts';
import { keepScanning } from './scanning.ts';
import { createTeller, isThere } from './tell.ts';

/** What Manifests are opened with. */
export interface ManifestsOptions {
  /** MANIFESTS. */
  readonly paths: readonly string[];
  /** Where to keep what was read, for the next start. */
  readonly snapshot: string;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Told of names that have lost a digest which they had, and have another. */
  readonly onLost?: (names: readonly string[]) => void;
  /** Told whenever they were read. */
  readonly onRead?: () => void;
  readonly clock?: Clock;
}

/** Manifests that are kept up to date. */
export interface OpenManifests extends Manifests {
  /** Reads these from now on, and looks through them anew if they are the same. */
  configure(paths: readonly string[]): void;
  /** Looks through all now; resolves when that is done, whatever it came to. */
  scan(): Promise<void>;
  /** Stops what is under way. */
  close(): Promise<void>;
}

type Known = Omit<Gathered, 'lost'>;

const nothing: Known = { rows: createDigestRows(0), packages: [], files: 0, digests: 0 };

/** Knows nothing at first, and reads in the background: nobody has to wait for it. */
export function openManifests(options: ManifestsOptions): OpenManifests {
  const { snapshot, log, onLost, clock = systemClock } = options;
  let { paths } = options;
  let known = nothing;
  let repositories: readonly ScannedRepository[] = [];
  let readAt: number | undefined;
  let problem: string | undefined;
  let thread: ScanThread | undefined;
  let closed = false;
  const tell = createTeller(log);
  const pathsThere = () => repositories.filter(isThere).map(({ path }) => path);

  const take = (result: ScanResult): void => {
    const { gathered = { ...known, lost: [] } } = result;
    const outdated = known.digests > 0 && gathered.rows !== known.rows;
    known = gathered;
    if (outdated) collectGarbage();
    repositories = result.repositories;
    readAt = clock.now();
    problem = known.failure;
    tell({ ...known, repositories, problem });
    if (gathered.lost.length > 0) onLost?.(gathered.lost);
    options.onRead?.();
  };
  const scan = async (): Promise<boolean> => {
    thread = startScan({ paths, snapshot, since: known.checksum });
    const result = await thread.finished;
    take(result);
    return result.gathered === undefined;
  };
  const forget = async (): Promise<boolean> => {
    take({ repositories: [], gathered: { ...nothing, lost: [] } });
    readAt = undefined;
    await removeFile(snapshot);
    return true;
  };
  const failed = (error: unknown): boolean => {
    if (closed) return true;
    problem = describe(error);
    tell({ ...known, repositories, problem });
    return false;
  };
  const scanning = keepScanning({
    clock,
    scan: () => (paths.length === 0 ? forget() : scan()).catch(failed),
    marks: () => readMarks(paths, pathsThere()),
  });
  const first = scanning.now();
  return {
    digestsOf: (name) => findDigests(known.rows, name),
    packagesOf: (name) =>
      findPackages(known.rows, name).map((index) => placeOf(known.packages[index] ?? '')),
    rows: () => known.rows,
    repositories: pathsThere,
    ready: () => first,
    report: () => {
      const { files, digests } = known;
      return { files, digests, repositories, readAt, problem };
    },
    configure: (fresh) => {
      paths = fresh;
      void scanning.now();
    },
    scan: scanning.now,
    close: async () => {
      closed = true;
      const ended = scanning.close();
      await thread?.terminate();
      await ended;
    },
  };
}

function placeOf(directory: string): PackagePlace {
  const category = dirname(directory);
  return {
    repository: dirname(category),
    category: basename(category),
    name: basename(directory),
  };
}
