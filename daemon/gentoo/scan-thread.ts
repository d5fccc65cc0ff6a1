import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { CacheError, describe } from '../errors.ts';
import type { ScanOrder, ScanResult } from './scan.ts';
import type { ScanMessage } from './scan-worker.ts';

/** A scan under way. */
export interface ScanThread {
  /** Rejects with a CacheError `storage` when there is no result. */
  readonly finished: Promise<ScanResult>;
  /** Ends it at once. */
  terminate(): Promise<unknown>;
}

/** It is beside this file: as scan-worker.ts here, as scan-worker.js in the build. */
const WORKER = `./scan-worker${extname(import.meta.url)}`;

/** Without this V8 gives the little that lives longer in a scan 50 MB more than it takes. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };

/** Scans in a thread of its own, which ends with the scan. */
export function startScan(order: ScanOrder): ScanThread {
  const workerData: ScanOrder = order;
  const worker = new Worker(new URL(WORKER, import.meta.url), { workerData, resourceLimits });
  const ended = Promise.withResolvers<ScanResult>();
  let last: ScanMessage | undefined;
  const fail = (reason: string) =>
    ended.reject(new CacheError('storage', { verb: 'read', thing: 'MANIFESTS', reason }));
  worker.on('message', (message: ScanMessage) => {
    last = message;
  });
  worker.on('error', (error) => fail(describe(error)));
  // Not before: the thread's memory is free when the next one starts.
  worker.on('exit', () => {
    if (last?.kind === 'done') ended.resolve(last.result);
    else fail(last?.kind === 'failed' ? last.reason : 'the thread broke off');
  });
  return { finished: ended.promise, terminate: () => worker.terminate() };
}
