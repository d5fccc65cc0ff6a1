import { parentPort, workerData } from 'node:worker_threads';
import { CacheError, describe, errnoOf } from '../errors.ts';
import { type Copied, type CopyOrder, copy } from './copy.ts';

/** What the thread is started with. */
export interface CopyWorker {
  /** Not 0 once it is to stop: a message would not be heard by synchronous work. */
  readonly stop: Int32Array<SharedArrayBuffer>;
}

/** A file for the thread, which takes them one after another. */
export interface CopyRequest {
  readonly id: number;
  readonly order: CopyOrder;
  /** Bytes of it that are done with. */
  readonly moved: BigInt64Array<SharedArrayBuffer>;
}

/** What became of it. */
export type CopyResponse =
  | { readonly id: number; readonly copied: Copied }
  | { readonly id: number; readonly reason: string; readonly errno: string | undefined };

const { stop } = workerData as CopyWorker;

function carryOut({ id, order, moved }: CopyRequest): CopyResponse {
  try {
    const cancelled = () => Atomics.load(stop, 0) !== 0;
    const took = (bytes: number) => void Atomics.add(moved, 0, BigInt(bytes));
    return { id, copied: copy({ ...order, cancelled, took }) };
  } catch (error) {
    const reason = error instanceof CacheError ? error.reason : describe(error);
    return { id, reason, errno: errnoOf(error) };
  }
}

parentPort?.on('message', (request: CopyRequest) => parentPort?.postMessage(carryOut(request)));
