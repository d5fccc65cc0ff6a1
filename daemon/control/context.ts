import type { Budget } from '../room/budget.ts';
import type { Disk } from '../room/disk.ts';
import type { ServeContext } from '../serve/context.ts';
import type { HttpServer } from '../serve/server.ts';
import type { Upkeep } from '../serve/upkeep.ts';
import type { Counters } from '../stats.ts';
import type { LogLevel } from '../system/log.ts';

/** The names of keys that a reload changed. */
export interface Changed {
  /** In force. */
  readonly live: readonly string[];
  /** Waiting for a restart. */
  readonly restart: readonly string[];
}

/** Whom the commands ask, and what they can set in motion. */
export interface ControlContext {
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly serve: ServeContext;
  readonly budget: Budget;
  readonly upkeep: Upkeep;
  readonly server: Pick<HttpServer, 'places' | 'connections'>;
  /** CACHE_DIR. */
  readonly directory: string;
  /** The disk it lies on. */
  readonly measure: () => Promise<Disk>;
  /** All that was ever counted, and since when in milliseconds since the epoch. */
  readonly lifetime: () => { readonly since: number; readonly counters: Counters };
  /** Reads the configuration again. @throws CacheError when it is wrong: then nothing changed */
  readonly reload: () => Promise<Changed>;
  /** What was changed and waits for a restart. */
  readonly pending: () => readonly string[];
  /** How much the log tells. */
  readonly logLevel: () => LogLevel;
  readonly setLogLevel: (level: LogLevel) => void;
}
