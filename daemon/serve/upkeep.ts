import type { Layout } from '../cache/layout.ts';
import { expireQuarantine } from '../cache/quarantine.ts';
import { CacheError, describe } from '../errors.ts';
import type { Budget } from '../room/budget.ts';
import { type Imported, type ImportOrder, type ImportWatch, importFiles } from '../room/import.ts';
import { type Clock, repeat, systemClock } from '../schedule.ts';
import { formatCount, formatSize } from '../units.ts';
import type { ServeContext } from './context.ts';
import { everyNight } from './nightly.ts';
import { createSingle } from './single.ts';
import { openVerification, type Verification } from './verification.ts';

const DAY = 86_400_000;
/** The start is over by then. */
const FIRST = 600_000;

/** What is done to the content of the cache beside serving it. */
export interface Upkeep {
  readonly verification: Verification;
  /**
   * Takes the files of a DISTDIR over.
   *
   * @throws CacheError `busy` while another import is under way, and as `importFiles`.
   */
  takeOver(order: ImportOrder, watch: ImportWatch): Promise<Imported>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

/** What is kept up, and by which clock. */
export interface UpkeepOptions {
  readonly serve: ServeContext;
  readonly budget: Budget;
  readonly layout: Layout;
  readonly clock?: Clock;
  /** 0 to 1: when in the night it begins. */
  readonly random?: () => number;
}

/** Begins to keep the content right: some of it is verified each night, if that is configured. */
export async function openUpkeep(options: UpkeepOptions): Promise<Upkeep> {
  const { serve, budget, layout, clock = systemClock, random = Math.random } = options;
  const verification = await openVerification({ serve, budget, layout, now: clock.now });
  const night = async (): Promise<void> => {
    const { verifyNightly } = serve.settings().config;
    if (verifyNightly !== undefined) await verification.verifyNext(verifyNightly);
  };
  const expire = () =>
    expireQuarantine(layout, clock.now()).catch((error: unknown) =>
      serve.log.warn(`Cannot clear the quarantine: ${describe(error)}`),
    );
  const imports = createSingle();
  const context = { ...serve, layout, room: budget.room };
  const takeOver: Upkeep['takeOver'] = async (order, { signal: gone, ...watch }) => {
    const thing = order.directory;
    await serve.manifests.ready();
    if (imports.busy) {
      const reason = 'another import is under way; try again when it is over';
      throw new CacheError('busy', { verb: 'import', thing, reason });
    }
    const work = (signal: AbortSignal) => importFiles(order, { ...watch, signal }, context);
    const imported = await imports.run(work, gone);
    serve.log.info(`imported ${wordImported(imported)} from "${thing}"`);
    return imported;
  };
  const stops = [
    everyNight({ clock, random, run: night }),
    repeat({ clock, first: FIRST, every: DAY }, expire),
  ];
  return {
    verification,
    takeOver,
    close: async () => {
      const stopped = stops.map((stop) => stop());
      await Promise.all([verification.close(), imports.close()]);
      await Promise.all(stopped);
    },
  };
}

function wordImported({ stored, present, failed, bytes }: Imported): string {
  const files = `${formatCount(stored)} ${stored === 1 ? 'file' : 'files'} (${formatSize(bytes)})`;
  return `${files}, ${formatCount(present)} stored before, ${formatCount(failed)} failed,`;
}
