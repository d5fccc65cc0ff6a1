import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Copied, CopyOrder } from './copy.ts';
import type { CopyRequest, CopyResponse, CopyWorker } from './copy-worker.ts';

/** A file on its way. */
export interface Copying {
  /** @throws Error that says why it was not taken over; its `code` is that of the system. */
  readonly finished: Promise<Copied>;
  /** Bytes of it that are done with. */
  moved(): number;
}

/** Copies and verifies files in a thread of its own, one after another. */
export interface Copier {
  copy(order: CopyOrder): Copying;
  /** Has what is under way fail; resolves when the thread is gone. */
  close(): Promise<void>;
}

/** It is beside this file: as copy-worker.ts here, as copy-worker.js in the build. */
const WORKER = `./copy-worker${extname(import.meta.url)}`;

/** Starts the thread. */
export function startCopier(): Copier {
  const stop = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const workerData: CopyWorker = { stop };
  const worker = new Worker(new URL(WORKER, import.meta.url), { workerData });
  const waiting = new Map<number, PromiseWithResolvers<Copied>>();
  let requests = 0;
  let gone: Error | undefined;
  const failAll = (error: Error): void => {
    gone ??= error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on('message', (response: CopyResponse) => {
    const asked = waiting.get(response.id);
    waiting.delete(response.id);
    if ('copied' in response) asked?.resolve(response.copied);
    else asked?.reject(Object.assign(new Error(response.reason), { code: response.errno }));
  });
  worker.on('error', failAll);
  worker.on('exit', () => failAll(new Error('the thread broke off')));
  return {
    copy: (order) => {
      requests += 1;
      const moved = new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT));
      const request: CopyRequest = { id: requests, order, moved };
      const asked = Promise.withResolvers<Copied>();
      if (gone === undefined) waiting.set(request.id, asked);
      else asked.reject(gone);
      worker.postMessage(request);
      return { finished: asked.promise, moved: () => Number(Atomics.load(moved, 0)) };
    },
    close: async () => {
      Atomics.store(stop, 0, 1);
      await worker.terminate();
      failAll(new Error('it was called off'));
    },
  };
}
