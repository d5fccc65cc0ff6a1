import { setTimeout as sleep } from 'node:timers/promises';
import type { Datagrams } from './unix-datagram.ts';

/** How patient to be with a receiver. */
export interface QueueOptions {
  /** Messages that wait at most; what comes on top is lost. */
  readonly most: number;
  /**
   * Errors that pass, so that the message waits, with the milliseconds until the receiver is tried
   * again; after any other error the message is lost.
   */
  readonly passing: Readonly<Record<string, number>>;
  /** Told how each try went: the name of its errno, or undefined. */
  readonly tried: (errno: string | undefined) => void;
}

/** Messages on their way, in their order. */
export interface DatagramQueue {
  /** False when the message is lost. */
  send(text: string): boolean;
  /** Gives a receiver that is busy a second for what waits, and gives up what is left. */
  close(): Promise<void>;
}

/** Sends without ever waiting: what the receiver does not take yet is kept, within bounds. */
export function createQueue(datagrams: Datagrams, options: QueueOptions): DatagramQueue {
  const { most, passing, tried } = options;
  const waiting: string[] = [];
  let retry: NodeJS.Timeout | undefined;
  /** How long the first one waits for its next try. */
  let pause: number | undefined;
  const flush = () => {
    clearTimeout(retry);
    pause = undefined;
    for (let text = waiting[0]; text !== undefined; text = waiting[0]) {
      const errno = datagrams.send(text);
      tried(errno);
      pause = errno === undefined ? undefined : passing[errno];
      if (pause !== undefined) {
        retry = setTimeout(flush, pause);
        return;
      }
      waiting.shift();
    }
  };
  return {
    send: (text) => {
      if (waiting.length >= most) return false;
      waiting.push(text);
      // While the first one waits for its next try, so do those behind it.
      if (pause === undefined) flush();
      return true;
    },
    close: async () => {
      flush();
      const deadline = performance.now() + 1000;
      while (pause !== undefined && performance.now() + pause < deadline) {
        await sleep(pause);
        flush();
      }
      clearTimeout(retry);
      datagrams.close();
    },
  };
}
