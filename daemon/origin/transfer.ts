import type { SourceUrl } from '../config/source-url.ts';
import { assemble } from './assemble.ts';
import type { BodyBeginning } from './beginning.ts';
import type { DownloadEnd } from './download.ts';
import type { FillContext } from './order.ts';
import { startRecorder } from './recorder.ts';

/** A body that is about to flow. */
export interface Transfer extends Pick<BodyBeginning, 'stream' | 'first'> {
  /** A mutable body starts over: its name may mean another file by now. */
  readonly mutable: boolean;
  /** The whole will be held against a digest. */
  readonly digestDecides: boolean;
  readonly signal: AbortSignal;
  /** Told whenever another source takes over. */
  readonly turned: (source: SourceUrl) => void;
}

/** How a transfer ended, and who gave all of it, if one source did. */
export interface Transferred {
  readonly end: DownloadEnd;
  readonly source: SourceUrl | undefined;
}

/**
 * Has a body flow into its file, from as many sources as it takes, with a record beside it.
 *
 * @throws as `assemble`.
 */
export async function transfer(
  { stream, first, mutable, digestDecides, signal, turned }: Transfer,
  { counters, asking, partials, log }: FillContext,
): Promise<Transferred> {
  const { partial, record, known, route } = stream;
  const recorder = startRecorder({ partials, record, log });
  let giver: SourceUrl = first.source;
  let alone = partial.written === 0;
  partial.onSynced = recorder.note;
  try {
    const end = await assemble({
      asking,
      route,
      partial,
      first,
      known: mutable ? undefined : known,
      digestDecides,
      signal,
      received: (bytes) => {
        counters.bytesFetched += bytes;
        asking().health.received(giver, bytes);
      },
      turned: (source) => {
        alone &&= source === giver;
        giver = source;
        turned(source);
      },
    });
    return { end, source: alone ? giver : undefined };
  } finally {
    partial.onSynced = undefined;
    await recorder.stop();
  }
}
