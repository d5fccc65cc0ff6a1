import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { type Budget, openBudget } from './cache/budget.ts';
import { type CacheDirectory, openDirectory } from './cache/directory.ts';
import { createMetaBook } from './cache/meta.ts';
import { openPartialBook, type PartialBook } from './cache/partial-book.ts';
import { createPolicy } from './cache/policy.ts';
import { readStats, writeStats } from './cache/stats-file.ts';
import { createStore } from './cache/store.ts';
import { type Config, changedKeys } from './config/config.ts';
import { CacheError, describe } from './errors.ts';
import type { Asking } from './origin/ask.ts';
import { createFills } from './origin/collapse.ts';
import { createHealthBook } from './origin/health.ts';
import { createUpstream, type Upstream } from './origin/request.ts';
import { resumeAll } from './origin/resume.ts';
import { createStickiness } from './origin/sticky.ts';
import { createAllowList } from './serve/allow.ts';
import type { ServeContext, Settings } from './serve/context.ts';
import { isOwnAddress } from './serve/listen.ts';
import { type HttpServer, openServer } from './serve/server.ts';
import { addCounters, type Counters, createCounters } from './stats.ts';
import type { Log } from './system/log.ts';

/** Answers and downloads under way may take so long to end once the daemon is told to stop. */
const GRACE = 20_000;
const SAVE_STATS_EVERY = 60_000;

/** A running daemon. */
export interface Daemon {
  readonly host: string;
  readonly port: number;
  /** Takes a new configuration over, as far as that goes without a restart. */
  reload(config: Config): void;
  /** Stops accepting, lets transfers end for a while, and lets go of everything. */
  close(): Promise<void>;
}

/** What a daemon is opened with. */
export interface DaemonOptions {
  readonly config: Config;
  readonly log: Log;
  readonly version: string;
  /** Milliseconds that transfers get to end once it is closed: 20 s when nothing is said. */
  readonly grace?: number;
}

/**
 * Opens everything in order: the cache directory first, so that nothing listens that cannot store.
 *
 * @throws CacheError that says what cannot be had; then nothing is left open.
 */
export async function openDaemon(options: DaemonOptions): Promise<Daemon> {
  const { config, log, grace = GRACE } = options;
  const opened: (() => Promise<void>)[] = [];
  const closeAll = async () => {
    for (const close of opened.toReversed()) await close();
  };
  try {
    const directory = await openDirectory(config.cacheDir);
    opened.push(() => directory.close());
    const counters = createCounters();
    opened.push(await keepStats({ directory, counters, log }));
    const budget = await openBudget({ layout: directory.layout, limits: config, log });
    opened.push(() => budget.close());
    const upstream = await openUpstream(options, directory.id);
    opened.push(() => upstream.close());
    const partials = await openPartialBook(directory.layout);
    const kept = await partials.sweep(Date.now());
    const parts = assemble({ options, directory, counters, upstream, partials, budget });
    opened.push(() => parts.context.fills.close('the daemon stops'));
    const server = await openServer(config, parts.context);
    parts.listening(server);
    opened.push(() => closeGently({ server, context: parts.context, grace }));
    log.info(`listening on http://${urlHost(config.host)}:${server.port}/`);
    const { fills, settings } = parts.context;
    const { policy } = settings();
    const { repositories } = config;
    resumeAll({ kept, fills, policy, repositories }).catch((error: unknown) =>
      log.error(`Cannot resume: ${describe(error)}`),
    );
    return { host: server.host, port: server.port, reload: parts.reload, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

interface Assembly {
  readonly options: DaemonOptions;
  readonly directory: CacheDirectory;
  readonly counters: Counters;
  readonly upstream: Upstream;
  readonly partials: PartialBook;
  readonly budget: Budget;
}

function assemble({ options, directory, counters, upstream, partials, budget }: Assembly) {
  const { log } = options;
  const { room, census } = budget;
  const { layout, id } = directory;
  let settings = createSettings(options.config);
  let server: HttpServer | undefined;
  const health = createHealthBook({ now: Date.now, changed: (line) => log.warn(line) });
  const asking = (): Asking => ({ upstream, health, hedgeAfter: settings.config.hedgeAfter });
  const sticky = createStickiness((source) => !health.isSetAside(source));
  const store = createStore(layout);
  const meta = createMetaBook(layout);
  const fills = createFills(
    { asking, sticky, layout, store, meta, partials, room, census, counters, log },
    () => settings.config,
  );
  const context: ServeContext = {
    settings: () => settings,
    store,
    meta,
    fills,
    asking,
    counters,
    log,
    id,
    isOwn: (host, port) => server !== undefined && isOwnAddress(server, { host, port }),
  };
  return {
    context,
    listening: (opened: HttpServer) => {
      server = opened;
    },
    reload: (fresh: Config) => {
      const changed = changedKeys(settings.config, fresh);
      settings = createSettings(fresh);
      log.configure(fresh);
      budget.configure(fresh);
      if (changed.live.length > 0) log.info(`reloaded: ${changed.live.join(', ')} changed`);
      if (changed.restart.length > 0) {
        log.warn(`reloaded, but a restart is needed for ${changed.restart.join(', ')}`);
      }
      if (changed.live.length + changed.restart.length === 0) log.info('reloaded: nothing changed');
    },
  };
}

/** Compiles what a configuration means for requests. @throws CacheError `config` */
export function createSettings(config: Config): Settings {
  return {
    config,
    policy: createPolicy(config),
    allowed: createAllowList({ rules: config.allow, interfaces: networkInterfaces }),
  };
}

interface Stats {
  readonly directory: CacheDirectory;
  readonly counters: Counters;
  readonly log: Log;
}

// Resolves to the function that saves for the last time.
async function keepStats({ directory, counters, log }: Stats): Promise<() => Promise<void>> {
  const path = directory.layout.stats;
  const kept = await readStats(path);
  const save = () =>
    writeStats(path, { since: kept.since, lifetime: addCounters(kept.lifetime, counters) }).catch(
      (error: unknown) => log.warn(`Cannot keep the counters: ${describe(error)}`),
    );
  let saving = Promise.resolve();
  const timer = setInterval(() => {
    saving = save();
  }, SAVE_STATS_EVERY);
  return async () => {
    clearInterval(timer);
    await saving;
    await save();
  };
}

async function openUpstream({ config, version }: DaemonOptions, id: string): Promise<Upstream> {
  const { caFile, upstreamProxy } = config;
  return createUpstream({
    userAgent: `package-cache/${version}`,
    id,
    ...(caFile === undefined ? {} : { ca: [await readCertificates(caFile)] }),
    ...(upstreamProxy === undefined ? {} : { proxy: upstreamProxy }),
  });
}

async function readCertificates(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const reason = `CA_FILE: ${describe(cause)}`;
    throw new CacheError('config', { verb: 'read', thing: path, reason, cause });
  }
}

interface Closing {
  readonly server: HttpServer;
  readonly context: ServeContext;
  readonly grace: number;
}

// Downloads that nobody waits for any more may end too: what is fetched need not be fetched again.
async function closeGently({ server, context, grace }: Closing): Promise<void> {
  const deadline = Promise.withResolvers<void>();
  const timer = setTimeout(deadline.resolve, grace);
  const fills = context.fills.all().map((fill) => fill.finished);
  await Promise.race([Promise.all([server.close(grace), ...fills]), deadline.promise]);
  clearTimeout(timer);
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
