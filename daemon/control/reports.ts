// What the commands of protocol.ts answer: the `result` of a response, and what `--json` prints.
// The field names are stable: new ones come, none goes.

import type { ManifestsReport } from './manifests-report.ts';
import type { ProblemReport } from './messages.ts';
import type { ProcessReport } from './process-report.ts';
import type { RepositoryReport, SourceReport } from './source-report.ts';

/** What `status` answers. */
export interface StatusReply {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: number;
  /** The configuration file; null when none was read. */
  readonly configFile: string | null;
  /** Where clients are served. */
  readonly addresses: readonly string[];
  readonly controlSocket: string;
  readonly delivery: 'sendfile' | 'reads';
  readonly logLevel: string;
  readonly repositories: readonly RepositoryReport[];
  /** Null without MANIFESTS. */
  readonly manifests: ManifestsReport | null;
  readonly cache: CacheReport;
  /** Running downloads, and client connections. */
  readonly downloads: number;
  readonly clients: number;
  readonly process: ProcessReport;
  /** What is not as it should be, a sentence each; empty when all is well. */
  readonly degraded: readonly string[];
}

/** A number of files, and their bytes. */
export interface AmountReport {
  readonly entries: number;
  readonly bytes: number;
}

/** The cache directory and its disk. */
export interface CacheReport extends AmountReport {
  readonly directory: string;
  /** MAX_SIZE. */
  readonly maxSize: number | null;
  /** What MIN_FREE comes to on this disk; null, as the two below, when the disk does not answer. */
  readonly minFree: number | null;
  readonly diskSize: number | null;
  readonly diskFree: number | null;
  /** False: files are passed on and not stored; `degraded` says why. */
  readonly storing: boolean;
}

/** What `stats` answers. */
export interface StatsReply extends AmountReport {
  readonly sinceStart: CountsReport;
  readonly lifetime: CountsReport;
  /** When a walk last counted everything. */
  readonly countedAt: number | null;
  /** The entries by age of last use, the youngest first: every entry is in one of them. */
  readonly ages: readonly AgeReport[];
  /** What culling by age would free, at least. */
  readonly reclaimable: readonly (AmountReport & { readonly age: string })[];
  /** What the last verification came to; null before the first. */
  readonly verification: VerificationReport | null;
}

/** The files that a verification found right, and what it found wrong. */
export interface VerificationReport extends AmountReport {
  /** When it ended. */
  readonly at: number;
  readonly wrong: number;
  readonly repaired: number;
}

/** Entries last used at least `from` ago, and less than `to`. */
export interface AgeReport extends AmountReport {
  /** As `cull --older-than` takes it; `0` for now. */
  readonly from: string;
  /** Null for the oldest. */
  readonly to: string | null;
}

/** What was counted since a time. */
export interface CountsReport {
  readonly since: number;
  readonly requests: number;
  readonly hits: number;
  readonly misses: number;
  readonly collapsed: number;
  readonly revalidated: number;
  readonly stale: number;
  readonly passed: number;
  readonly errors: number;
  readonly bytesServed: number;
  readonly bytesHit: number;
  readonly bytesFetched: number;
  /** Served without being fetched. */
  readonly bytesSaved: number;
  readonly fills: number;
  readonly fillsFailed: number;
  /** 0 to 1: hits among requests, their bytes among those served; null before the first. */
  readonly hitRatio: number | null;
  readonly byteHitRatio: number | null;
}

/** What `reload` answers: the names of keys. */
export interface ReloadReply {
  readonly configFile: string | null;
  /** Changed, and in force. */
  readonly live: readonly string[];
  /** Changed, and waiting for a restart. */
  readonly restart: readonly string[];
}

/** What `ls` answers after its rows. */
export interface ListReply extends AmountReport {
  /** Could not be read. */
  readonly failed: number;
  readonly problems: readonly ProblemReport[];
}

/** What `cull` answers. */
export interface CullReply extends ListReply {
  readonly dryRun: boolean;
  /** Used or replaced meanwhile, and therefore kept. */
  readonly kept: number;
}

/** What `purge` answers. */
export interface PurgeReply extends ListReply {
  /** What was left of downloads that broke off, and went too. */
  readonly partials: number;
  /** What was asked for and matched nothing. */
  readonly unmatched: readonly string[];
}

/** What `downloads` answers. */
export interface DownloadsReply {
  readonly downloads: readonly DownloadReport[];
  /** The download that was given up. */
  readonly cancelled: string | null;
}

/** A download in progress. */
export interface DownloadReport {
  readonly path: string;
  readonly state: 'asking' | 'streaming' | 'storing';
  readonly source: string | null;
  readonly startedAt: number;
  readonly bytes: number;
  /** Of the whole file. */
  readonly length: number | null;
  /** Bytes a second. */
  readonly rate: number | null;
  /** Milliseconds that are left at this rate. */
  readonly eta: number | null;
  /** Requests that are served from it now. */
  readonly clients: number;
}

/** What `sources` answers. */
export interface SourcesReply {
  readonly repositories: readonly RepositoryReport[];
}

/** What `why` answers. */
export interface WhyReply {
  readonly path: string;
  readonly key: string;
  readonly repository: string;
  /** A directory or a query: forwarded, never stored. */
  readonly pass: boolean;
  readonly mutable: boolean;
  /** The glob or suffix that decides, and whose it is. */
  readonly rule: string;
  readonly ruleFrom: 'IMMUTABLE' | 'MUTABLE' | 'built-in' | 'default';
  readonly entry: StoredReport | null;
  readonly download: DownloadReport | null;
  /** In the order in which they would be asked now. */
  readonly sources: readonly AskedSource[];
  /** What the Manifests say that it must be, any of them; empty where they have no word on it. */
  readonly digests: readonly DigestReport[];
  /** Every source said a moment ago that it is not there: it is not asked for again just yet. */
  readonly missing: boolean;
  /** What a download of it last came to; null when there was none since the start. */
  readonly last: OutcomeReport | null;
}

/** A digest of a distfile. */
export interface DigestReport {
  readonly size: number;
  readonly algorithm: 'blake2b512' | 'sha512';
  /** In hexadecimal digits. */
  readonly hash: string;
}

/** A source, and the URL it would be asked for. */
export interface AskedSource extends SourceReport {
  readonly asks: string;
}

/** What is stored under a key. */
export interface StoredReport {
  readonly file: string;
  readonly size: number;
  readonly modified: number;
  readonly lastUse: number;
  /** When a source last confirmed it, of an entry that may change; null when it must be asked. */
  readonly checked: number | null;
  /** When it will be asked again. */
  readonly freshUntil: number | null;
  readonly source: string | null;
}

/** What a download came to. */
export interface OutcomeReport {
  readonly at: number;
  readonly outcome: 'stored' | 'unchanged' | 'passed' | 'failed';
  readonly source: string | null;
  readonly bytes: number;
  readonly reason: string | null;
}

/** What `top` answers: one frame; rates are differences between two. */
export interface TopReply {
  readonly at: number;
  readonly clients: number;
  readonly counts: CountsReport;
  readonly downloads: readonly DownloadReport[];
  readonly cache: CacheReport;
  readonly degraded: readonly string[];
}

/** What `log-level` answers. */
export interface LogLevelReply {
  readonly level: string;
  readonly former: string;
}
