import type { Partial } from '../cache/partial.ts';
import { CacheError, describe } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import { startWatchdog } from './watchdog.ts';

/** One body on its way from a source into a partial file. */
export interface Download {
  readonly exchange: Exchange;
  readonly partial: Partial;
  /** The length of the whole file, if the source named it. */
  readonly length: number | undefined;
  /** Milliseconds of silence that are a stall. */
  readonly patience: number;
  /** Told of every chunk's bytes. */
  readonly received: (bytes: number) => void;
}

/**
 * Lets a body flow into a file until it ends. The source is held back only by a slow disk, never
 * by a slow client.
 *
 * @throws the reason why the body is not whole: CacheError `storage` when the disk is to blame,
 * anything else when the source is.
 */
export async function download(given: Download): Promise<void> {
  const { exchange, partial, length, patience, received } = given;
  const ended = Promise.withResolvers<void>();
  const stop = (error: Error) => {
    exchange.abort(error);
    ended.reject(error);
  };
  const watchdog = startWatchdog({ patience, stalled: stop });
  partial.attend({
    drained: () => {
      watchdog.release();
      exchange.resume();
    },
    failed: (cause) => stop(unwritable(partial.path, cause)),
  });
  exchange.readBody({
    data: (chunk) => {
      received(chunk.length);
      watchdog.received(chunk.length);
      if (length !== undefined && partial.taken + chunk.length > length) {
        return stop(new Error(`more than the ${length} bytes it announced`));
      }
      if (partial.write(chunk)) return;
      watchdog.hold();
      exchange.pause();
    },
    end: ended.resolve,
    fail: ended.reject,
  });
  try {
    await ended.promise;
  } finally {
    watchdog.stop();
    // What arrived before the end is in the file before anyone looks at it.
    await partial.flushed();
  }
  if (length !== undefined && partial.body.committed !== length) {
    throw new Error(`ended after ${partial.body.committed} of ${length} bytes`);
  }
}

function unwritable(path: string, cause: Error): CacheError {
  return new CacheError('storage', { verb: 'write', thing: path, reason: describe(cause), cause });
}
