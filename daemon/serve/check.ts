import { describe } from '../errors.ts';
import type { Budget, VerifyOptions } from '../room/budget.ts';
import type { VerifyProgress, VerifySummary, WrongEntry } from '../room/verify-book.ts';
import type { ServeContext } from './context.ts';
import { fetchAnew, takeOut } from './repair.ts';

/** Downloads of one repair at the same time: clients come first. */
const AT_ONCE = 4;

/** What is to be compared with the Manifests, and what happens to what is wrong. */
export interface CheckOrder extends Omit<VerifyOptions, 'digests' | 'rules' | 'repositories'> {
  /** What is wrong goes into quarantine and is fetched anew. */
  readonly repair: boolean;
}

/** An entry that was wrong. */
export interface WrongOutcome {
  readonly entry: WrongEntry;
  /** `wrong`: it is where it was; `failed`: it is in quarantine, and was not fetched anew. */
  readonly outcome: 'wrong' | 'repaired' | 'failed';
  /** Why it could not be put into quarantine, or fetched. */
  readonly failure?: string | undefined;
}

/** Who hears of it; what they return is waited for. */
export interface CheckWatch {
  readonly onProgress?: (progress: VerifyProgress) => unknown;
  /** Once for each entry that is wrong, as soon as it is known what became of it. */
  readonly onWrong?: (outcome: WrongOutcome) => unknown;
  readonly signal: AbortSignal;
}

/** What a check came to. */
export interface Checked extends VerifySummary {
  readonly wrong: number;
  readonly repaired: number;
  /** Of what was wrong: still where it was. */
  readonly left: number;
}

/** What a check takes. */
export interface CheckContext {
  readonly serve: ServeContext;
  readonly budget: Pick<Budget, 'verify'>;
}

/**
 * Compares entries with the Manifests, and repairs what is wrong when that is asked for: by the
 * same fills that serve clients, while the reading goes on.
 *
 * @throws CacheError `storage`, or `cancelled` when the daemon stops.
 */
export async function check(
  { repair, ...order }: CheckOrder,
  watch: CheckWatch,
  { serve, budget }: CheckContext,
): Promise<Checked> {
  const running = new Set<Promise<void>>();
  const tally = { wrong: 0, repaired: 0, left: 0 };
  const tell = async (told: WrongOutcome): Promise<void> => {
    tally.wrong += 1;
    tally.repaired += Number(told.outcome === 'repaired');
    tally.left += Number(told.outcome === 'wrong');
    await watch.onWrong?.(told);
  };
  const refetch = async (entry: WrongEntry): Promise<void> => {
    const failure = await fetchAnew(entry.key, watch.signal, serve);
    const outcome = failure === undefined ? 'repaired' : 'failed';
    await tell({ entry, outcome, failure });
  };
  const deal = async (entry: WrongEntry): Promise<void> => {
    if (!repair) return await tell({ entry, outcome: 'wrong' });
    try {
      if (!(await takeOut(entry, serve))) return;
    } catch (error) {
      return await tell({ entry, outcome: 'wrong', failure: describe(error) });
    }
    while (running.size >= AT_ONCE) await Promise.race(running);
    const fetching: Promise<void> = refetch(entry).finally(() => running.delete(fetching));
    running.add(fetching);
  };
  let dealing = Promise.resolve();
  const onVerified = (progress: VerifyProgress) => {
    dealing = dealing.then(async () => {
      await watch.onProgress?.(progress);
      for (const entry of progress.wrong) await deal(entry);
    });
    return dealing;
  };
  const { config } = serve.settings();
  const naming = {
    rules: { immutable: config.immutable, mutable: config.mutable },
    repositories: config.repositories.map(({ name }) => name).filter((name) => name !== ''),
  };
  const digests = serve.manifests.rows();
  const watching = { signal: watch.signal, onVerified };
  const reading = budget.verify({ ...order, ...naming, digests }, watching);
  const [read] = await Promise.allSettled([reading]);
  // The thread may have ended before its last words were dealt with.
  await dealing;
  await Promise.all(running);
  if (read.status === 'rejected') throw read.reason;
  return { ...read.value, ...tally };
}
