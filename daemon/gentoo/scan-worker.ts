import { parentPort, workerData } from 'node:worker_threads';
import { describe } from '../errors.ts';
import { type ScanOrder, type ScanResult, scan } from './scan.ts';

/** What the thread of a scan says in the end. */
export type ScanMessage =
  | { readonly kind: 'done'; readonly result: ScanResult }
  | { readonly kind: 'failed'; readonly reason: string };

function carryOut(order: ScanOrder): ScanMessage {
  try {
    return { kind: 'done', result: scan(order, Date.now()) };
  } catch (error) {
    return { kind: 'failed', reason: describe(error) };
  }
}

parentPort?.postMessage(carryOut(workerData as ScanOrder));
