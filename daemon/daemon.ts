import { type CacheDirectory, openDirectory } from './cache/directory.ts';
import type { HotStore } from './cache/hot.ts';
import type { Layout } from './cache/layout.ts';
import { createMetaBook } from './cache/meta.ts';
import { openStore } from './cache/open-store.ts';
import { openPartialBook, type PartialBook } from './cache/partial-book.ts';
import { keepStats, type LifetimeStats } from './cache/stats-file.ts';
import type { Config } from './config/config.ts';
import type { SourceUrl } from './config/source-url.ts';
import type { Changed, ControlContext } from './control/context.ts';
import { type ControlOptions, openControl } from './control/control.ts';
import { summary } from './control/facts.ts';
import { createEvents, type Events } from './events.ts';
import { findUris } from './gentoo/find-uris.ts';
import { type OpenManifests, openManifests } from './gentoo/open-manifests.ts';
import { createUnproven, type Unproven } from './gentoo/unproven.ts';
import { createLiveConfig } from './live-config.ts';
import type { Asking } from './origin/ask.ts';
import { createFills } from './origin/collapse.ts';
import { createHealthBook, type HealthBook } from './origin/health.ts';
import { openUpstream } from './origin/open-upstream.ts';
import { limitUpstream } from './origin/places.ts';
import type { Upstream } from './origin/request.ts';
import { createRescue } from './origin/rescue.ts';
import { continueDownloads } from './origin/resume.ts';
import { createStickiness } from './origin/sticky.ts';
import { type Budget, openBudget } from './room/budget.ts';
import { measureDisk } from './room/disk.ts';
import type { ServeContext } from './serve/context.ts';
import { isOwnAddress, type Listening, urlOf } from './serve/listen.ts';
import { bindListeners, type Listener } from './serve/listener.ts';
import type { Delivery } from './serve/pump.ts';
import { chooseDelivery } from './serve/sendfile.ts';
import { type HttpServer, openServer } from './serve/server.ts';
import { stopServing } from './serve/stop.ts';
import { openUpkeep, type Upkeep } from './serve/upkeep.ts';
import { type Counters, createCounters } from './stats.ts';
import type { HandedControl } from './system/activation.ts';
import { descriptorLimit } from './system/descriptors.ts';
import type { Log } from './system/log.ts';
import type { ServiceManager } from './system/service-manager.ts';

/** Answers and downloads under way may take so long to end once the daemon is told to stop. */
const GRACE = 20_000;

/** A running daemon. */
export interface Daemon {
  /** Where it listens. */
  readonly places: readonly Listening[];
  /**
   * Reads the configuration again and takes it over, as far as that goes without a restart.
   *
   * @throws CacheError when it is wrong; then it stays as it was.
   */
  reload(): Promise<Changed>;
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
  /** Who is told that it serves, and that it ends. */
  readonly manager?: ServiceManager;
  /** On what to answer, when that is open already: HOST and PORT otherwise. */
  readonly listeners?: readonly Listener[];
  /** The control socket, when somebody has bound it already. */
  readonly handedControl?: HandedControl | undefined;
  /** Where the control socket may be, the best place first: without one there is none. */
  readonly controlPlaces?: readonly string[];
  /** Milliseconds that transfers get to end once it is closed: 20 s when nothing is said. */
  readonly grace?: number;
}

/**
 * Opens everything in order: whoever connects is let in last, when there is a cache to serve from.
 *
 * @throws CacheError that says what cannot be had; then nothing is left open.
 */
export async function openDaemon(options: DaemonOptions): Promise<Daemon> {
  const { config, log, manager, grace = GRACE } = options;
  const opened: (() => Promise<void>)[] = [];
  const closeAll = async () => {
    for (const close of opened.toReversed()) await close();
  };
  try {
    const { listeners = await bindListeners(config) } = options;
    opened.push(async () => {
      for (const listener of listeners) listener.close();
    });
    const directory = await openDirectory(config.cacheDir);
    opened.push(() => directory.close());
    const counters = createCounters();
    const { layout } = directory;
    const stats = await keepStats({ path: layout.stats, counters, log });
    opened.push(() => stats.close());
    const events = createEvents();
    const store = await openStore(layout);
    opened.push(async () => store.cool());
    const { manifests, unproven } = openGentoo(options, layout);
    opened.push(() => manifests.close());
    const budget = await openBudget({ layout, limits: config, log, events, removed: store.cool });
    opened.push(() => budget.close());
    const upstream = await openUpstream(config, { version: options.version, id: directory.id });
    opened.push(() => upstream.close());
    const delivery = await chooseDelivery(config);
    const partials = await openPartialBook(layout);
    const kept = await partials.sweep(Date.now());
    const ways = { upstream, delivery, partials, store, manifests, unproven };
    const parts = assemble({ options, directory, counters, budget, stats, events, ...ways });
    opened.push(() => parts.context.fills.close('the daemon stops'));
    const upkeep = await openUpkeep({ serve: parts.context, budget, layout });
    opened.push(() => upkeep.close());
    unproven.attend((names) => void upkeep.verification.recheck(names));
    const descriptors = await descriptorLimit();
    const server = await openServer({ listeners, descriptors }, parts.context);
    parts.listening(server);
    opened.push(() => stopServing({ server, context: parts.context, grace }));
    const facts = parts.control(server, upkeep);
    const control = await openControl(controlAt(options), facts);
    opened.push(async () => control?.close());
    for (const place of server.places) log.info(`listening on ${urlOf(place)}`);
    opened.push(continueDownloads({ ...parts.unfinished(), partials, kept }));
    manager?.ready(() => summary(facts));
    opened.push(async () => manager?.stopping(grace));
    return { places: server.places, reload: facts.reload, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function openGentoo({ config, log }: DaemonOptions, layout: Layout) {
  const unproven = createUnproven((name) => manifests.digestsOf(name));
  const manifests: OpenManifests = openManifests({
    paths: config.manifests,
    snapshot: layout.manifests,
    log,
    onLost: unproven.lost,
    onRead: unproven.read,
  });
  return { manifests, unproven };
}

interface Assembly {
  readonly options: DaemonOptions;
  readonly directory: CacheDirectory;
  readonly counters: Counters;
  readonly upstream: Upstream;
  readonly delivery: Delivery;
  readonly partials: PartialBook;
  readonly store: HotStore;
  readonly manifests: OpenManifests;
  readonly unproven: Unproven;
  readonly budget: Budget;
  readonly stats: LifetimeStats;
  readonly events: Events;
}

function assemble(assembly: Assembly) {
  const { options, directory, counters, upstream, store, manifests, budget, events } = assembly;
  const { log } = options;
  const { room, census } = budget;
  const { layout, id } = directory;
  const live = createLiveConfig({ ...options, ...assembly });
  let server: HttpServer | undefined;
  const health = openHealth(assembly);
  const limited = limitUpstream(upstream, () => live.settings().config);
  const asking = (): Asking => ({
    upstream: limited,
    health,
    hedgeAfter: live.settings().config.hedgeAfter,
  });
  const sticky = createStickiness((source) => !health.isSetAside(source));
  const meta = createMetaBook(layout);
  const rescue = createRescue({
    isWanted: () => live.settings().config.srcUriRescue,
    urisOf: (distfile) => findUris(distfile, manifests),
    log,
  });
  const fills = createFills(
    { ...assembly, layout, room, census, asking, sticky, meta, log, rescue },
    () => live.settings().config,
  );
  const context: ServeContext = {
    settings: live.settings,
    store,
    meta,
    census,
    fills,
    manifests,
    asking,
    delivery: assembly.delivery,
    heads: new WeakMap(),
    counters,
    log,
    events,
    id,
    isOwn: (host, port) => server !== undefined && isOwnAddress(server.places, { host, port }),
  };
  const control = (listening: HttpServer, upkeep: Upkeep): ControlContext => ({
    version: options.version,
    startedAt: Date.now(),
    serve: context,
    budget,
    upkeep,
    server: listening,
    directory: layout.root,
    measure: () => measureDisk(layout.root),
    lifetime: assembly.stats.lifetime,
    reload: live.reload,
    pending: live.pending,
    logLevel: live.logLevel,
    setLogLevel: live.setLogLevel,
  });
  const listening = (opened: HttpServer) => {
    server = opened;
  };
  const unfinished = () => {
    const { policy, config } = live.settings();
    return { fills, policy, repositories: config.repositories, manifests, log };
  };
  return { context, control, listening, unfinished };
}

function openHealth({ options, events }: Assembly): HealthBook {
  const changed = (line: string, source: SourceUrl) => {
    options.log.warn(line);
    events.emit('source', source.url, line);
  };
  return createHealthBook({ now: Date.now, changed });
}

function controlAt({ config, controlPlaces, handedControl }: DaemonOptions): ControlOptions {
  return { places: controlPlaces, handed: handedControl, group: config.group };
}
