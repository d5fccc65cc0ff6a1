import type { Partial } from '../cache/partial.ts';
import { CacheError, describe } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import { startWatchdog } from './watchdog.ts';

/** One body, or the rest of one, on its way from a source into a partial file. */
export interface Download {
  readonly exchange: Exchange;
  readonly partial: Partial;
  /** Where in the file the body's first byte belongs. */
  readonly position: number;
  /** The copy has another length than the file: it can only show where it differs. */
  readonly foreign: boolean;
  /** Milliseconds of silence that are a stall. */
  readonly patience: number;
  /** Told of every chunk's bytes. */
  readonly received: (bytes: number) => void;
}

/** How a download ended; `offset` is the first byte in which the copy is another file. */
export type DownloadEnd =
  | { readonly kind: 'whole' }
  | { readonly kind: 'differs'; readonly offset: number };

/**
 * Lets a body flow into a file until it ends. The source is held back only by a slow disk, never
 * by a slow client.
 *
 * @throws the reason why the body is not whole: CacheError `storage` when the disk is to blame,
 * anything else when the source is.
 */
export async function download(given: Download): Promise<DownloadEnd> {
  const { partial, foreign } = given;
  const { length } = partial.body;
  try {
    const offset = await flow(given);
    if (offset !== undefined) return { kind: 'differs', offset };
  } finally {
    // What arrived before the end is in the file before anyone looks at it.
    await partial.flushed();
  }
  if (foreign) return { kind: 'differs', offset: Math.min(partial.taken, partial.written) };
  if (length !== undefined && partial.taken !== length) {
    throw new Error(`ended after ${partial.taken} of ${length} bytes`);
  }
  return { kind: 'whole' };
}

async function flow(given: Download): Promise<number | undefined> {
  const { exchange, partial, position, foreign, patience, received } = given;
  const { length } = partial.body;
  const ended = Promise.withResolvers<number | undefined>();
  const stop = (error: Error) => {
    exchange.abort(error);
    ended.reject(error);
  };
  const watchdog = startWatchdog({ patience, stalled: stop });
  const events = {
    drained: () => {
      watchdog.release();
      exchange.resume();
    },
    failed: (cause: Error) => stop(unwritable(partial.path, cause)),
    differs: (offset: number) => {
      // First, for the abort shows as a failed body.
      ended.resolve(offset);
      exchange.abort(new Error('it is another file'));
    },
  };
  partial.attend({ position, foreign, events });
  exchange.readBody({
    data: (chunk) => {
      received(chunk.length);
      watchdog.received(chunk.length);
      if (length !== undefined && !foreign && partial.taken + chunk.length > length) {
        stop(new Error(`more than the ${length} bytes it announced`));
      } else if (!partial.write(chunk)) {
        watchdog.hold();
        exchange.pause();
      }
    },
    // What is queued may yet prove to be another file.
    end: () => void partial.flushed().then(() => ended.resolve(undefined), ended.reject),
    fail: ended.reject,
  });
  try {
    return await ended.promise;
  } finally {
    watchdog.stop();
  }
}

function unwritable(path: string, cause: Error): CacheError {
  return new CacheError('storage', { verb: 'write', thing: path, reason: describe(cause), cause });
}
