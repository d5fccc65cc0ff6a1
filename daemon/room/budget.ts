import type { Layout } from '../cache/layout.ts';
import { anyGlobPattern } from '../cache/policy.ts';
import type { Config } from '../config/config.ts';
import { CacheError, describe } from '../errors.ts';
import type { Events } from '../events.ts';
import { type Clock, repeat, systemClock } from '../schedule.ts';
import type { Log } from '../system/log.ts';
import { formatDuration, formatSize } from '../units.ts';
import { type Census, openCensus } from './census.ts';
import type { CullOrder, CullSummary } from './cull.ts';
import { type Amount, DAY } from './histogram.ts';
import {
  type CullWatch,
  createHousekeeping,
  type ListWatch,
  type VerifyWatch,
} from './housekeeping.ts';
import type { ListOrder, ListSummary } from './list.ts';
import { createRoom, type Room } from './room.ts';
import type { VerifyOrder } from './verify.ts';
import type { VerifySummary } from './verify-book.ts';

/** What of the configuration the budget obeys. */
export type BudgetLimits = Pick<Config, 'minFree' | 'maxSize' | 'cullOlderThan'>;

/** What somebody wants culled. */
export interface CullOptions extends Omit<CullOrder, 'matching' | 'cutOff'> {
  /** As in IMMUTABLE, matched against whole keys; any of several. */
  readonly glob?: string | readonly string[];
}

/** What somebody wants listed. */
export interface ListOptions extends Omit<ListOrder, 'matching'> {
  readonly glob?: string;
}

/** What somebody wants verified. */
export interface VerifyOptions extends Omit<VerifyOrder, 'matching'> {
  readonly glob?: string;
}

/** The disk budget at work: who counts, who decides, and who removes. */
export interface Budget {
  readonly census: Census;
  readonly room: Room;
  /**
   * Removes entries, for somebody who waits for it; the census is told.
   *
   * @throws CacheError `config` for a glob that cannot be read, `storage` when it cannot begin,
   * `cancelled` when it was called off before.
   */
  cull(options: CullOptions, watch?: CullWatch): Promise<CullSummary>;
  /** Lists entries. @throws CacheError as `cull`, and `busy` */
  list(options: ListOptions, watch: ListWatch): Promise<ListSummary>;
  /** Compares entries with the Manifests. @throws CacheError as `cull` */
  verify(options: VerifyOptions, watch: VerifyWatch): Promise<VerifySummary>;
  /** Obeys new limits from now on. */
  configure(limits: BudgetLimits): void;
  /** Stops what is under way and keeps the census. */
  close(): Promise<void>;
}

/** What a budget is opened with. */
export interface BudgetOptions {
  readonly layout: Layout;
  readonly limits: BudgetLimits;
  readonly log: Log;
  readonly events?: Events;
  /** Told when files are gone: whoever keeps one open keeps its disk space. */
  readonly removed?: () => void;
  readonly clock?: Clock;
}

/** The start is over by then. */
const FIRST_WALK = 10_000;
const FIRST_CULL = 3_600_000;
const SAVE_EVERY = 300_000;

/** Opens the disk budget of one cache directory and begins to keep it. */
export async function openBudget(options: BudgetOptions): Promise<Budget> {
  const { layout, log, events, clock = systemClock } = options;
  let { limits } = options;
  const housekeeping = createHousekeeping(layout);
  const { walk } = housekeeping;
  const census = await openCensus({ path: layout.census, walk, now: clock.now });
  const cull = async (order: CullOrder, watch?: CullWatch): Promise<CullSummary> => {
    const summary = await housekeeping.cull(order, watch);
    census.noteCull(summary.removed);
    if (summary.removed.length > 0) options.removed?.();
    if (order.dryRun !== true) events?.emit('cull', layout.root, `culled ${wordAmount(summary)}`);
    return summary;
  };
  const room = createRoom({
    layout,
    census,
    cull: async (order) => {
      const summary = await cull(order).catch(failing(log));
      logCull(log, summary, 'for MAX_SIZE');
      return summary;
    },
    limits: () => limits,
    changed: (line) => log.warn(line),
    clock,
  });
  const stops = keepSchedule({ options, clock, census, room, cull, limits: () => limits });
  await room.check();
  return {
    census,
    room,
    cull: async ({ glob, ...order }, watch) => {
      const { downTo } = order;
      const guess = glob === undefined && downTo !== undefined;
      const cutOff = guess ? { cutOff: census.cutOff(census.totals().bytes - downTo) } : {};
      const summary = await cull({ ...order, ...cutOff, ...matchingOf(glob) }, watch);
      if (order.dryRun !== true) logCull(log, summary, 'on request');
      return summary;
    },
    list: async ({ glob, ...order }, watch) =>
      housekeeping.list({ ...order, ...matchingOf(glob) }, watch),
    verify: async ({ glob, ...order }, watch) =>
      housekeeping.verify({ ...order, ...matchingOf(glob) }, watch),
    configure: (fresh) => {
      limits = fresh;
      void room.check();
    },
    close: async () => {
      const stopped = stops.map((stop) => stop());
      await housekeeping.close();
      await Promise.all(stopped);
      await saveCensus(census, log);
    },
  };
}

function matchingOf(glob: CullOptions['glob']): Pick<CullOrder, 'matching'> {
  return glob === undefined ? {} : { matching: anyGlobPattern([glob].flat()) };
}

interface Parts {
  readonly options: BudgetOptions;
  readonly clock: Clock;
  readonly census: Census;
  readonly room: Room;
  readonly cull: (order: CullOrder) => Promise<CullSummary>;
  readonly limits: () => BudgetLimits;
}

function keepSchedule({ options, clock, census, room, cull, limits }: Parts) {
  const { log } = options;
  const correct = async (): Promise<void> => {
    const { failed, problems } = await census.correct();
    log.debug(`counted ${wordAmount(census.totals())}`);
    logProblems(log, { failed, problems, verb: 'count' });
    await room.check();
  };
  const cullOld = async (): Promise<void> => {
    const { cullOlderThan: age } = limits();
    if (age === undefined) return;
    const summary = await cull({ usedBefore: clock.now() - age });
    logCull(log, summary, `not used for ${formatDuration(age)}`);
  };
  // A limit cannot be kept before it is known how much there is.
  const unknown = census.report().correctedAt === undefined && limits().maxSize !== undefined;
  const tolerant = (job: () => Promise<void>) => () => job().catch(failing(log)).catch(ignore);
  return [
    repeat({ clock, first: unknown ? 0 : FIRST_WALK, every: DAY }, tolerant(correct)),
    repeat({ clock, first: FIRST_CULL, every: DAY }, tolerant(cullOld)),
    repeat({ clock, first: SAVE_EVERY, every: SAVE_EVERY }, () => saveCensus(census, log)),
  ];
}

// Tells the log, unless it is only the daemon that stops.
function failing(log: Log): (error: unknown) => never {
  return (error) => {
    const stopping = error instanceof CacheError && error.code === 'cancelled';
    if (!stopping) log.warn(describe(error));
    throw error;
  };
}

function logCull(log: Log, summary: CullSummary, why: string): void {
  const { failed, problems } = summary;
  log.info(`culled ${wordAmount(summary)} ${why}`);
  logProblems(log, { failed, problems, verb: 'cull' });
}

function wordAmount({ entries, bytes }: Amount): string {
  return `${entries} ${entries === 1 ? 'file' : 'files'} (${formatSize(bytes)})`;
}

interface Problems extends Pick<CullSummary, 'failed' | 'problems'> {
  readonly verb: string;
}

function logProblems(log: Log, { failed, problems, verb }: Problems): void {
  const [first] = problems;
  if (first === undefined) return;
  const others = failed > 1 ? ` (and ${failed - 1} more)` : '';
  log.warn(`Cannot ${verb} "${first.path}": ${first.reason}${others}`);
}

// Without it the next start counts anew, no more.
async function saveCensus(census: Census, log: Log): Promise<void> {
  await census.save().catch((error: unknown) => {
    log.debug(`Cannot keep the census: ${describe(error)}`);
  });
}

// The log has it already.
function ignore(): void {}
