/** What is known of distfiles, and whence. */
export interface ManifestsReport {
  readonly digests: number;
  /** Of which there are digests. */
  readonly files: number;
  /** When the Manifests were last looked through; null before the first time. */
  readonly readAt: number | null;
  readonly repositories: readonly ManifestRepositoryReport[];
  /** Why they could not be looked through, or what was read not kept. */
  readonly problem: string | null;
}

/** A Gentoo repository, or a path in MANIFESTS that leads to none. */
export interface ManifestRepositoryReport {
  readonly path: string;
  readonly manifests: number;
  /** DIST lines with a digest, and those that were passed over. */
  readonly digests: number;
  readonly malformed: number;
  /** What could not be read of it; what was known of that before still holds. */
  readonly problem: string | null;
}
