import type { Datagrams } from './unix-datagram.ts';

/** How patient to be with a receiver. */
export interface QueueOptions {
  /** Messages that wait at most; what comes on top is lost. */
  readonly most: number;
  /** Milliseconds until a receiver that takes nothing is tried again. */
  readonly retryAfter: number;
  /** Errors that may pass, so that the message waits; after any other it is lost. */
  readonly passing: readonly string[];
  /** Told how each try went: the name of its errno, or undefined. */
  readonly tried: (errno: string | undefined) => void;
}

/** Messages on their way, in their order. */
export interface DatagramQueue {
  /** False when the message is lost. */
  send(text: string): boolean;
  /** Tries once more what waits, and gives it up. */
  close(): void;
}

/** Sends without ever waiting: what the receiver does not take yet is kept, within bounds. */
export function createQueue(datagrams: Datagrams, options: QueueOptions): DatagramQueue {
  const { most, retryAfter, passing, tried } = options;
  const waiting: string[] = [];
  let retry: NodeJS.Timeout | undefined;
  /** False when the first one has to wait. */
  const sendFirst = (text: string): boolean => {
    const errno = datagrams.send(text);
    tried(errno);
    if (errno !== undefined && passing.includes(errno)) return false;
    waiting.shift();
    return true;
  };
  const flush = () => {
    clearTimeout(retry);
    retry = undefined;
    for (const text of [...waiting]) {
      if (sendFirst(text)) continue;
      retry = setTimeout(flush, retryAfter);
      return;
    }
  };
  return {
    send: (text) => {
      if (waiting.length >= most) return false;
      waiting.push(text);
      // While the first one waits for its next try, so do those behind it.
      if (retry === undefined) flush();
      return true;
    },
    close: () => {
      flush();
      clearTimeout(retry);
      datagrams.close();
    },
  };
}
