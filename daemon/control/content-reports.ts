// What the commands answer that see to it that files are stored, and right; see reports.ts.

import type { ProblemReport } from './messages.ts';

/** What `fetch` and `import` answer. */
export interface FetchReply {
  readonly stored: number;
  /** Stored before. */
  readonly present: number;
  readonly failed: number;
  /** Of what was stored now. */
  readonly bytes: number;
}

/** What `verify` answers. */
export interface VerifyReply {
  /** Files that are what a Manifest says. */
  readonly verified: number;
  /** Of those. */
  readonly bytes: number;
  /** The rows tell of each of them. */
  readonly wrong: number;
  /** Of the wrong ones. */
  readonly repaired: number;
  /** Files that no Manifest names. */
  readonly unknown: number;
  /** Could not be read. */
  readonly failed: number;
  readonly problems: readonly ProblemReport[];
}
