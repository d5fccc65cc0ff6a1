import { parentPort, workerData } from 'node:worker_threads';
import { createLayout } from '../cache/layout.ts';
import { CacheError, describe } from '../errors.ts';
import { type CullOrder, type CullProgress, type CullSummary, cull } from './cull.ts';
import { type ListedEntry, type ListOrder, type ListSummary, list } from './list.ts';
import { survey, type WalkReport } from './survey.ts';
import { type VerifyOrder, verify } from './verify.ts';
import type { VerifyProgress, VerifySummary } from './verify-book.ts';

/** What a worker can do. */
export type WorkerTask =
  | { readonly kind: 'walk' }
  | { readonly kind: 'cull'; readonly order: CullOrder }
  | { readonly kind: 'list'; readonly order: ListOrder }
  | { readonly kind: 'verify'; readonly order: VerifyOrder };

/** What it returns in the end. */
export type WorkerResult = WalkReport | CullSummary | ListSummary | VerifySummary;

/** One job, which is all that a worker does before it ends. */
export interface WorkerJob {
  /** CACHE_DIR. */
  readonly root: string;
  readonly task: WorkerTask;
  /** Not 0 once the job is to stop: a message would not be heard by synchronous work. */
  readonly stop: Int32Array<SharedArrayBuffer>;
  /** How many of its reports were dealt with: one that nobody takes makes it wait. */
  readonly taken: Int32Array<SharedArrayBuffer>;
}

/** What a worker says on its way. */
export type WorkerReport =
  | { readonly kind: 'progress'; readonly progress: CullProgress }
  | { readonly kind: 'rows'; readonly rows: readonly ListedEntry[] }
  | { readonly kind: 'verified'; readonly verified: VerifyProgress };

/** What a worker says. */
export type WorkerMessage =
  | WorkerReport
  | { readonly kind: 'done'; readonly result: WorkerResult }
  | { readonly kind: 'failed'; readonly reason: string };

/** Reports that may be on their way at once. */
const UNTAKEN = 4;

function carryOut({ root, task, stop, taken }: WorkerJob): WorkerResult {
  const cancelled = () => Atomics.load(stop, 0) !== 0;
  const report = reporter(taken, cancelled);
  switch (task.kind) {
    case 'walk':
      return survey(root, Date.now());
    case 'list':
      return list({
        root,
        order: task.order,
        cancelled,
        rows: (rows) => report({ kind: 'rows', rows }),
      });
    case 'cull':
      return cull({
        layout: createLayout(root),
        order: task.order,
        now: Date.now(),
        cancelled,
        progress: (progress) => report({ kind: 'progress', progress }),
      });
    case 'verify':
      return verify({
        root,
        order: task.order,
        now: () => performance.now(),
        // Until it is over, or the job is to stop.
        sleep: (milliseconds) => void Atomics.wait(stop, 0, 0, milliseconds),
        cancelled,
        progress: (verified) => report({ kind: 'verified', verified }),
      });
  }
}

// What is not taken would pile up in the daemon's memory.
function reporter(taken: WorkerJob['taken'], cancelled: () => boolean) {
  let said = 0;
  return (report: WorkerReport): void => {
    for (let seen = Atomics.load(taken, 0); said - seen >= UNTAKEN && !cancelled(); ) {
      Atomics.wait(taken, 0, seen, 1000);
      seen = Atomics.load(taken, 0);
    }
    said += 1;
    say(report);
  };
}

function say(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}

try {
  say({ kind: 'done', result: carryOut(workerData as WorkerJob) });
} catch (error) {
  say({ kind: 'failed', reason: error instanceof CacheError ? error.reason : describe(error) });
}
