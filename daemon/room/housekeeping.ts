import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Layout } from '../cache/layout.ts';
import { CacheError, describe } from '../errors.ts';
import type { CullOrder, CullProgress, CullSummary } from './cull.ts';
import type { ListedEntry, ListOrder, ListSummary } from './list.ts';
import type { WalkReport } from './survey.ts';
import type { VerifyOrder } from './verify.ts';
import type { VerifyProgress, VerifySummary } from './verify-book.ts';
import type { WorkerJob, WorkerMessage, WorkerReport, WorkerResult, WorkerTask } from './worker.ts';

/** Who watches a cull. What it returns is waited for, so that nothing piles up. */
export interface CullWatch {
  readonly onProgress?: (progress: CullProgress) => unknown;
  /** Ends it after the entry it is at; what went is gone. */
  readonly signal?: AbortSignal;
}

/** Who takes the rows of a list; what it returns is waited for. */
export interface ListWatch {
  readonly onRows: (rows: readonly ListedEntry[]) => unknown;
  readonly signal?: AbortSignal;
}

/** Who hears how far a verification has come; what it returns is waited for. */
export interface VerifyWatch {
  readonly onVerified: (progress: VerifyProgress) => unknown;
  readonly signal?: AbortSignal;
}

/**
 * Walks and culls, in a thread of their own: one at a time, each in a thread that ends with it.
 * What only looks does not wait for its turn, and nothing waits for it.
 */
export interface Housekeeping {
  /** Counts all entries. @throws CacheError `storage`, or `cancelled` by `close` */
  walk(): Promise<WalkReport>;
  /** Removes entries. @throws CacheError `storage`, or `cancelled` before it began or by `close` */
  cull(order: CullOrder, watch?: CullWatch): Promise<CullSummary>;
  /** Lists entries. @throws CacheError as `cull`, or `busy` when too many lists are made */
  list(order: ListOrder, watch: ListWatch): Promise<ListSummary>;
  /** Reads entries again, which may take hours. @throws CacheError as `cull` */
  verify(order: VerifyOrder, watch: VerifyWatch): Promise<VerifySummary>;
  /** Stops the jobs under way, at once, and takes no more. */
  close(): Promise<void>;
}

/** Lists and dry runs at the same time: each takes a thread, and the disk's time. */
const LOOKERS = 4;

/** It is beside this file: as worker.ts here, as worker.js in the build. */
const WORKER = `./worker${extname(import.meta.url)}`;

interface Watch {
  readonly onReport: (report: WorkerReport) => unknown;
  readonly signal: AbortSignal | undefined;
}

/** The housekeeping of one cache directory. */
export function createHousekeeping({ root }: Layout): Housekeeping {
  let queue: Promise<unknown> = Promise.resolve();
  const running = new Set<Job>();
  let lookers = 0;
  let closed = false;
  const run = async (task: WorkerTask, watch: Watch): Promise<WorkerResult> => {
    if (closed || watch.signal?.aborted) throw cancelled(task, root);
    const job = startWorker({ root, task, watch });
    running.add(job);
    try {
      return await job.finished;
    } catch (cause) {
      if (closed) throw cancelled(task, root);
      const reason = describe(cause);
      throw new CacheError('storage', { verb: task.kind, thing: root, reason, cause });
    } finally {
      running.delete(job);
    }
  };
  const inTurn = (task: WorkerTask, watch: Watch): Promise<WorkerResult> => {
    const result = queue.then(() => run(task, watch));
    queue = result.catch(() => {});
    return result;
  };
  const aside = async (task: WorkerTask, watch: Watch): Promise<WorkerResult> => {
    if (lookers >= LOOKERS) throw tooMany(task, root);
    lookers += 1;
    return await run(task, watch).finally(() => {
      lookers -= 1;
    });
  };
  // What a worker returns is what its task asks for.
  return {
    walk: () => inTurn({ kind: 'walk' }, watchOf({})) as Promise<WalkReport>,
    cull: (order, watch = {}) => {
      const take = order.dryRun === true ? aside : inTurn;
      return take({ kind: 'cull', order }, watchOf(watch)) as Promise<CullSummary>;
    },
    list: (order, watch) => aside({ kind: 'list', order }, watchOf(watch)) as Promise<ListSummary>,
    verify: (order, watch) =>
      run({ kind: 'verify', order }, watchOf(watch)) as Promise<VerifySummary>,
    close: async () => {
      closed = true;
      await Promise.all([...running].map(({ terminate }) => terminate()));
      await queue;
    },
  };
}

function watchOf(watch: Partial<CullWatch & ListWatch & VerifyWatch>): Watch {
  return {
    onReport: (report) => {
      switch (report.kind) {
        case 'rows':
          return watch.onRows?.(report.rows);
        case 'progress':
          return watch.onProgress?.(report.progress);
        case 'verified':
          return watch.onVerified?.(report.verified);
      }
    },
    signal: watch.signal,
  };
}

function cancelled({ kind }: WorkerTask, root: string): CacheError {
  return new CacheError('cancelled', { verb: kind, thing: root, reason: 'it was called off' });
}

function tooMany({ kind }: WorkerTask, root: string): CacheError {
  const reason = `${LOOKERS} others are looking through it; try again in a moment`;
  return new CacheError('busy', { verb: kind, thing: root, reason });
}

interface Start extends Pick<WorkerJob, 'root' | 'task'> {
  readonly watch: Watch;
}

interface Job {
  readonly finished: Promise<WorkerResult>;
  readonly terminate: () => Promise<unknown>;
}

function startWorker({ root, task, watch }: Start): Job {
  const stop = sharedNumber();
  const taken = sharedNumber();
  const workerData: WorkerJob = { root, task, stop, taken };
  const worker = new Worker(new URL(WORKER, import.meta.url), { workerData });
  const ended = Promise.withResolvers<WorkerResult>();
  let last: WorkerMessage | undefined;
  const take = () => {
    Atomics.add(taken, 0, 1);
    Atomics.notify(taken, 0);
  };
  const onAbort = () => {
    Atomics.store(stop, 0, 1);
    Atomics.notify(stop, 0);
    Atomics.notify(taken, 0);
  };
  watch.signal?.addEventListener('abort', onAbort, { once: true });
  worker.on('message', (message: WorkerMessage) => {
    if (message.kind === 'done' || message.kind === 'failed') last = message;
    else Promise.resolve(watch.onReport(message)).then(take, take);
  });
  worker.on('error', ended.reject);
  // Not before: the thread and its memory are gone when the next job starts.
  worker.on('exit', () => {
    watch.signal?.removeEventListener('abort', onAbort);
    if (last?.kind === 'done') ended.resolve(last.result);
    else ended.reject(new Error(last?.kind === 'failed' ? last.reason : 'the thread broke off'));
  });
  return { finished: ended.promise, terminate: () => worker.terminate() };
}

function sharedNumber(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}
