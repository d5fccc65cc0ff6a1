/** A URL prefix and its sources. */
export interface RepositoryReport {
  /** '' is the root. */
  readonly name: string;
  /** The URL path it is served under. */
  readonly path: string;
  readonly sources: readonly SourceReport[];
}

/** How one source is doing. */
export interface SourceReport {
  readonly url: string;
  /** `idle`: not asked since the start; `aside`: failed, and asked last until `retryAt`. */
  readonly state: 'idle' | 'works' | 'aside' | 'failing';
  /** Why it last failed. */
  readonly reason: string | null;
  /** When the state began. */
  readonly since: number;
  readonly retryAt: number | null;
  /** Failures since it last answered. */
  readonly failures: number;
  /** Milliseconds to the head of its last answer. */
  readonly latency: number | null;
  /** Body bytes it has delivered since the start. */
  readonly bytes: number;
}
