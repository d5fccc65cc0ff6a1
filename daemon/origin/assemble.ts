import type { Partial } from '../cache/partial.ts';
import type { SourceUrl } from '../config/source-url.ts';
import { CacheError, describe, errnoOf } from '../errors.ts';
import type { Asking } from './ask.ts';
import { askForRest, isRest, type Known, type Rest } from './continuation.ts';
import { type DownloadEnd, download } from './download.ts';
import type { Route } from './route.ts';
import { STALLED } from './watchdog.ts';

/** Silence that is a stall, in ms: while another source might do better, and when none is left. */
const STALL = { withOthers: 8000, alone: 30_000 };

/** A file that is put together from as many sources as it takes. */
export interface Assembly {
  readonly asking: () => Asking;
  readonly route: Route;
  readonly partial: Partial;
  /** Where it begins. */
  readonly first: Rest;
  /** What the rest must be the rest of; without it, a body that breaks off is lost. */
  readonly known: Known | undefined;
  /** The whole will be held against a digest. */
  readonly digestDecides: boolean;
  readonly signal: AbortSignal;
  readonly received: (bytes: number) => void;
  /** Told whenever another source takes over. */
  readonly turned: (source: SourceUrl) => void;
}

/**
 * Downloads a body into its file. One that breaks off is continued, from the same source and then
 * from the next, one that stalls from the next source at once, so that its readers notice nothing.
 *
 * @throws the reason of the last break, when no source can go on: CacheError `storage` when the
 * disk is to blame, `cancelled` when it was given up.
 */
export async function assemble(assembly: Assembly): Promise<DownloadEnd> {
  const { partial, signal, asking } = assembly;
  let rest = assembly.first;
  let barren = 0;
  for (;;) {
    const before = partial.written;
    try {
      return await downloadFrom(rest, assembly);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof CacheError) throw error;
      asking().health.fail(rest.source, describe(error));
      barren = partial.written > before ? 0 : barren + 1;
      const stalled = errnoOf(error) === STALLED;
      const next = await nextRest({ ...assembly, last: rest.source, barren, stalled });
      if (next === undefined) throw error;
      rest = next;
      assembly.turned(rest.source);
    }
  }
}

async function downloadFrom(rest: Rest, assembly: Assembly): Promise<DownloadEnd> {
  const { partial, signal, received, route } = assembly;
  const { exchange } = rest.answer;
  const stop = () => exchange.abort(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) stop();
    return await download({
      exchange,
      partial,
      position: rest.position,
      foreign: rest.foreign,
      patience: route.repository.sources.length > 1 ? STALL.withOthers : STALL.alone,
      received,
    });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

interface Break extends Assembly {
  readonly last: SourceUrl;
  /** Attempts in a row that brought not one byte. */
  readonly barren: number;
  /** It would stall again, and the client's patience be over. */
  readonly stalled: boolean;
}

async function nextRest(broken: Break): Promise<Rest | undefined> {
  const { asking, route, known, digestDecides, partial, last, signal } = broken;
  const { sources } = route.repository;
  if (known === undefined || broken.barren > sources.length) return undefined;
  const others = asking()
    .health.order(sources)
    .filter((source) => source !== last);
  const found = await askForRest({
    asking: asking(),
    route,
    known,
    offset: partial.written,
    digestDecides,
    sources: broken.barren === 0 && !broken.stalled ? [last, ...others] : [...others, last],
    signal,
  });
  return isRest(found) ? found : undefined;
}
