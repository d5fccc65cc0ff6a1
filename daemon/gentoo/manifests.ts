import type { Digest, DigestRows } from './digest-table.ts';

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
}
