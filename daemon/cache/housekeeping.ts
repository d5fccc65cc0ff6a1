import { Worker } from 'node:worker_threads';
import { CacheError, describe } from '../errors.ts';
import type { CullOrder, CullProgress, CullSummary } from './cull.ts';
import type { Layout } from './layout.ts';
import type { WalkReport } from './survey.ts';
import type { WorkerJob, WorkerMessage } from './worker.ts';

/** Who watches a cull. */
export interface CullWatch {
  readonly onProgress?: (progress: CullProgress) => void;
  /** Ends it after the entry it is at; what went is gone. */
  readonly signal?: AbortSignal;
}

/** Walks and culls, in a thread of their own: one at a time, each in a thread that ends with it. */
export interface Housekeeping {
  /** Counts all entries. @throws CacheError `storage`, or `cancelled` by `close` */
  walk(): Promise<WalkReport>;
  /** Removes entries. @throws CacheError `storage`, or `cancelled` before it began or by `close` */
  cull(order: CullOrder, watch?: CullWatch): Promise<CullSummary>;
  /** Stops the job under way, at once, and takes no more. */
  close(): Promise<void>;
}

/** The housekeeping of one cache directory. */
export function createHousekeeping({ root }: Layout): Housekeeping {
  let queue: Promise<unknown> = Promise.resolve();
  let stopCurrent: (() => Promise<unknown>) | undefined;
  let closed = false;
  const run = <Result>(task: WorkerJob['task'], watch: CullWatch): Promise<Result> => {
    const result = queue.then(async () => {
      if (closed || watch.signal?.aborted) throw cancelled(task, root);
      const { finished, terminate } = startWorker({ root, task, watch });
      stopCurrent = terminate;
      try {
        // What a worker returns is what its task asks for.
        return (await finished) as Result;
      } catch (cause) {
        if (closed) throw cancelled(task, root);
        throw new CacheError('storage', {
          verb: task.kind,
          thing: root,
          reason: describe(cause),
          cause,
        });
      } finally {
        stopCurrent = undefined;
      }
    });
    queue = result.catch(() => {});
    return result;
  };
  return {
    walk: () => run<WalkReport>({ kind: 'walk' }, {}),
    cull: (order, watch = {}) => run<CullSummary>({ kind: 'cull', order }, watch),
    close: async () => {
      closed = true;
      await stopCurrent?.();
      await queue;
    },
  };
}

function cancelled({ kind }: WorkerJob['task'], root: string): CacheError {
  return new CacheError('cancelled', { verb: kind, thing: root, reason: 'it was called off' });
}

interface Start extends Pick<WorkerJob, 'root' | 'task'> {
  readonly watch: CullWatch;
}

function startWorker({ root, task, watch }: Start) {
  const stop = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const workerData: WorkerJob = { root, task, stop };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData });
  const ended = Promise.withResolvers<WalkFinish>();
  let last: WorkerMessage | undefined;
  const onAbort = () => Atomics.store(stop, 0, 1);
  watch.signal?.addEventListener('abort', onAbort, { once: true });
  worker.on('message', (message: WorkerMessage) => {
    if (message.kind === 'progress') watch.onProgress?.(message.progress);
    else last = message;
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

type WalkFinish = WalkReport | CullSummary;
