import { type CacheDirectory, openDirectory } from './cache/directory.ts';
import { createMetaBook } from './cache/meta.ts';
import { openPartialBook, type PartialBook } from './cache/partial-book.ts';
import { keepStats, type LifetimeStats } from './cache/stats-file.ts';
import { createStore } from './cache/store.ts';
import { type Config, changedKeys } from './config/config.ts';
import type { SourceUrl } from './config/source-url.ts';
import type { Changed, ControlContext } from './control/context.ts';
import { openControl } from './control/control.ts';
import { describe } from './errors.ts';
import { createEvents, type Events } from './events.ts';
import type { Asking } from './origin/ask.ts';
import { createFills } from './origin/collapse.ts';
import { createHealthBook, type HealthBook } from './origin/health.ts';
import { openUpstream } from './origin/open-upstream.ts';
import type { Upstream } from './origin/request.ts';
import { expireDaily, resumeAll } from './origin/resume.ts';
import { createStickiness } from './origin/sticky.ts';
import { type Budget, openBudget } from './room/budget.ts';
import { measureDisk } from './room/disk.ts';
import type { ServeContext } from './serve/context.ts';
import { isOwnAddress, urlOf } from './serve/listen.ts';
import type { Delivery } from './serve/pump.ts';
import { chooseDelivery } from './serve/sendfile.ts';
import { type HttpServer, openServer, type ServerOptions } from './serve/server.ts';
import { createSettings } from './serve/settings.ts';
import { type Counters, createCounters } from './stats.ts';
import type { Log, LogLevel } from './system/log.ts';

/** Answers and downloads under way may take so long to end once the daemon is told to stop. */
const GRACE = 20_000;

/** A running daemon. */
export interface Daemon {
  readonly host: string;
  readonly port: number;
  /**
   * Reads the configuration again and takes it over, as far as that goes without a restart.
   *
   * @throws CacheError when it is wrong; then it stays as it was.
   */
  reload(): Changed;
  /** Stops accepting, lets transfers end for a while, and lets go of everything. */
  close(): Promise<void>;
}

/** What a daemon is opened with. */
export interface DaemonOptions {
  readonly config: Config;
  /** Reads the configuration again; without it there is nothing to reload. */
  readonly load?: () => Config;
  readonly log: Log;
  readonly version: string;
  /** Where the control socket may be, the best place first: without one there is none. */
  readonly controlPlaces?: readonly string[];
  /** Milliseconds that transfers get to end once it is closed: 20 s when nothing is said. */
  readonly grace?: number;
  /** Milliseconds that a client may take no byte of its answer. */
  readonly stalled?: number;
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
    const { layout } = directory;
    const stats = await keepStats({ path: layout.stats, counters, log });
    opened.push(() => stats.close());
    const events = createEvents();
    const budget = await openBudget({ layout, limits: config, log, events });
    opened.push(() => budget.close());
    const upstream = await openUpstream(config, { version: options.version, id: directory.id });
    opened.push(() => upstream.close());
    const delivery = await chooseDelivery(config);
    const partials = await openPartialBook(layout);
    const kept = await partials.sweep(Date.now());
    const assembly = {
      options,
      directory,
      counters,
      upstream,
      delivery,
      partials,
      budget,
      stats,
      events,
    };
    const parts = assemble(assembly);
    opened.push(() => parts.context.fills.close('the daemon stops'));
    const server = await openServer(listenAt(options), parts.context);
    parts.listening(server);
    opened.push(() => closeGently({ server, context: parts.context, grace }));
    if (options.controlPlaces !== undefined) {
      const { controlPlaces: places } = options;
      const control = await openControl({ places, group: config.group }, parts.control(server));
      opened.push(async () => control?.close());
    }
    log.info(`listening on ${urlOf(server)}`);
    const { fills, settings } = parts.context;
    opened.push(expireDaily({ partials, fills, log }));
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
  readonly delivery: Delivery;
  readonly partials: PartialBook;
  readonly budget: Budget;
  readonly stats: LifetimeStats;
  readonly events: Events;
}

function assemble(assembly: Assembly) {
  const { options, directory, counters, upstream, partials, budget, events } = assembly;
  const { log } = options;
  const { room, census } = budget;
  const { layout, id } = directory;
  let settings = createSettings(options.config);
  let logLevel: LogLevel = options.config.logLevel;
  let server: HttpServer | undefined;
  const health = openHealth(assembly);
  const asking = (): Asking => ({ upstream, health, hedgeAfter: settings.config.hedgeAfter });
  const sticky = createStickiness((source) => !health.isSetAside(source));
  const store = createStore(layout);
  const meta = createMetaBook(layout);
  const fills = createFills(
    { asking, sticky, layout, store, meta, partials, room, census, counters, log, events },
    () => settings.config,
  );
  const context: ServeContext = {
    settings: () => settings,
    store,
    meta,
    census,
    fills,
    asking,
    delivery: assembly.delivery,
    counters,
    log,
    events,
    id,
    isOwn: (host, port) => server !== undefined && isOwnAddress(server, { host, port }),
  };
  const reload = (): Changed => {
    const fresh = options.load?.() ?? settings.config;
    const { live } = changedKeys(settings.config, fresh);
    const { restart } = changedKeys(options.config, fresh);
    settings = createSettings(fresh);
    logLevel = fresh.logLevel;
    log.configure(fresh);
    budget.configure(fresh);
    tellChanges({ live, restart }, log);
    const changed = [...live, ...restart].join(', ');
    events.emit(
      'reload',
      fresh.file ?? '',
      changed === '' ? 'nothing changed' : `${changed} changed`,
    );
    return { live, restart };
  };
  return {
    context,
    listening: (opened: HttpServer) => {
      server = opened;
    },
    reload,
    control: (listening: HttpServer): ControlContext => ({
      version: options.version,
      startedAt: Date.now(),
      serve: context,
      budget,
      server: listening,
      directory: layout.root,
      measure: () => measureDisk(layout.root),
      lifetime: assembly.stats.lifetime,
      reload,
      pending: () => changedKeys(options.config, settings.config).restart,
      logLevel: () => logLevel,
      setLogLevel: (level) => {
        logLevel = level;
        log.configure({ ...settings.config, logLevel });
      },
    }),
  };
}

function openHealth({ options, events }: Assembly): HealthBook {
  const changed = (line: string, source: SourceUrl) => {
    options.log.warn(line);
    events.emit('source', source.url, line);
  };
  return createHealthBook({ now: Date.now, changed });
}

function tellChanges({ live, restart }: Changed, log: Log): void {
  if (live.length > 0) log.info(`reloaded: ${live.join(', ')} changed`);
  if (restart.length > 0) {
    log.warn(`reloaded, but a restart is needed for ${restart.join(', ')}`);
  }
  if (live.length + restart.length === 0) log.info('reloaded: nothing changed');
}

function listenAt({ config: { host, port }, stalled }: DaemonOptions): ServerOptions {
  return { host, port, ...(stalled === undefined ? {} : { stalled }) };
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
