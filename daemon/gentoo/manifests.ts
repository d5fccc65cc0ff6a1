import type { Digest, DigestCounts, DigestRows } from './digest-table.ts';
import type { ScannedRepository } from './scan.ts';

/** A package of a repository on this machine's disk. */
export interface PackagePlace {
  /** The repository's directory, as MANIFESTS names it. */
  readonly repository: string;
  readonly category: string;
  readonly name: string;
}

/** What the Manifests of the configured repositories say of distfiles. */
export interface Manifests {
  /** Every digest that a distfile of this name may have; none where nothing is known of it. */
  digestsOf(name: string): readonly Digest[];
  /** The packages whose ebuilds fetch a distfile of this name. */
  packagesOf(name: string): readonly PackagePlace[];
  /** The digests as they are now, for a thread. */
  rows(): DigestRows;
  /** The directories of the repositories there are. */
  repositories(): readonly string[];
  /** Resolves once what there is at the start has been read, or could not be. */
  ready(): Promise<void>;
  report(): ManifestsState;
}

/** What is known, and how it came to be known. */
export interface ManifestsState extends DigestCounts {
  /** None without MANIFESTS. */
  readonly repositories: readonly ScannedRepository[];
  /** When they were last looked through, milliseconds since the epoch. */
  readonly readAt: number | undefined;
  /** Why the last look came to nothing, or was not kept for the next start. */
  readonly problem: string | undefined;
}
