import type { Log } from '../system/log.ts';
import { formatCount } from '../units.ts';
import type { DigestCounts } from './digest-table.ts';
import type { ScannedRepository } from './scan.ts';

/** What the log is told about. */
export interface Told extends DigestCounts {
  readonly repositories: readonly ScannedRepository[];
  /** What else went wrong. */
  readonly problem: string | undefined;
}

/**
 * Tells the log what is known when that has changed, and each problem once until it is over: scans
 * come every hour.
 */
export function createTeller(log: Pick<Log, 'info' | 'warn'>): (told: Told) => void {
  let summary = summarise({ digests: 0, files: 0 }, 0);
  let known: readonly string[] = [];
  return ({ repositories, problem, ...counts }) => {
    const now = [problem ?? [], ...repositories.map(complaintsOf)].flat();
    for (const line of now.filter((one) => !known.includes(one))) log.warn(line);
    known = now;
    const fresh = summarise(counts, repositories.filter(isThere).length);
    if (fresh !== summary) log.info(fresh);
    summary = fresh;
  };
}

/** Whether something is known of it, or at least nothing is wrong. */
export function isThere({ manifests, problem }: ScannedRepository): boolean {
  return manifests > 0 || problem === undefined;
}

function summarise({ digests, files }: DigestCounts, repositories: number): string {
  const known = `${plural(digests, 'digest')} of ${plural(files, 'file')}`;
  return `Manifests: ${known} in ${plural(repositories, 'repository', 'repositories')}`;
}

function complaintsOf({ path, problem, malformed }: ScannedRepository): readonly string[] {
  const lines = plural(malformed, 'malformed DIST line');
  return [
    problem ?? [],
    malformed === 0 ? [] : `Manifests: passed over ${lines} in ${path}`,
  ].flat();
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
