import { parentPort, workerData } from 'node:worker_threads';
import { CacheError, describe } from '../errors.ts';
import { type CullOrder, type CullProgress, type CullSummary, cull } from './cull.ts';
import { createLayout } from './layout.ts';
import { survey, type WalkReport } from './survey.ts';

/** One job, which is all that a worker does before it ends. */
export interface WorkerJob {
  /** CACHE_DIR. */
  readonly root: string;
  readonly task: { readonly kind: 'walk' } | { readonly kind: 'cull'; readonly order: CullOrder };
  /** Not 0 once the job is to stop: a message would not be heard by synchronous work. */
  readonly stop: Int32Array<SharedArrayBuffer>;
}

/** What a worker says. */
export type WorkerMessage =
  | { readonly kind: 'progress'; readonly progress: CullProgress }
  | { readonly kind: 'done'; readonly result: WalkReport | CullSummary }
  | { readonly kind: 'failed'; readonly reason: string };

function carryOut({ root, task, stop }: WorkerJob): WalkReport | CullSummary {
  if (task.kind === 'walk') return survey(root, Date.now());
  return cull({
    layout: createLayout(root),
    order: task.order,
    now: Date.now(),
    cancelled: () => Atomics.load(stop, 0) !== 0,
    progress: (progress) => say({ kind: 'progress', progress }),
  });
}

function say(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}

try {
  say({ kind: 'done', result: carryOut(workerData as WorkerJob) });
} catch (error) {
  say({ kind: 'failed', reason: error instanceof CacheError ? error.reason : describe(error) });
}
