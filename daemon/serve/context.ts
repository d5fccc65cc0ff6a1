import type { HotStore } from '../cache/hot.ts';
import type { MetaBook } from '../cache/meta.ts';
import type { Policy } from '../cache/policy.ts';
import type { Config } from '../config/config.ts';
import type { Events } from '../events.ts';
import type { Manifests } from '../gentoo/manifests.ts';
import type { Asking } from '../origin/ask.ts';
import type { Fills } from '../origin/collapse.ts';
import type { Census } from '../room/census.ts';
import type { Counters } from '../stats.ts';
import type { Log } from '../system/log.ts';
import type { AllowList } from './allow.ts';
import type { Delivery } from './pump.ts';

/** What a reload replaces, all at once. */
export interface Settings {
  readonly config: Config;
  readonly policy: Policy;
  readonly allowed: AllowList;
}

/** The head of a body in memory. */
export interface PreparedHead {
  readonly cacheStatus: string;
  /** Name, value, name, value: as Node writes them out without a look. */
  readonly fields: string[];
}

/** What answering requests takes. */
export interface ServeContext {
  /** The settings in force now: read them once a request. */
  readonly settings: () => Settings;
  readonly store: HotStore;
  readonly meta: MetaBook;
  readonly census: Census;
  readonly fills: Fills;
  readonly manifests: Manifests;
  readonly asking: () => Asking;
  readonly delivery: Delivery;
  /** Prepared heads of bodies in memory, each kept as long as its body. */
  readonly heads: WeakMap<Buffer, PreparedHead>;
  readonly counters: Counters;
  readonly log: Log;
  readonly events: Events;
  /** Our own id, by which a request that has come round is known. */
  readonly id: string;
  /** Whether a host and port are this daemon's own. */
  readonly isOwn: (host: string, port: number) => boolean;
}
