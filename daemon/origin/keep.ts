import type { MetaBook } from '../cache/meta.ts';
import type { CommittedEntry } from '../cache/store.ts';
import type { SourceUrl } from '../config/source-url.ts';
import { describe } from '../errors.ts';
import type { Stream } from './beginning.ts';
import type { FillContext, FillOrder } from './order.ts';

/** A whole body and where it came from. */
export interface Arrived {
  readonly order: FillOrder;
  readonly stream: Stream;
  readonly source: SourceUrl;
  /** A Manifest has its digest. */
  readonly proven: boolean;
}

/** Makes a whole body the entry of its key and, where the name may change, keeps its record. */
export async function keep(arrived: Arrived, context: FillContext): Promise<void> {
  const { order, stream, proven } = arrived;
  const { partial, head } = stream;
  const { key, distfile } = order.route;
  const entry = await context.store.commit(partial, { key, mtime: head.mtime });
  context.census.noteCommit({ key, size: entry.size, replaced: order.stored });
  context.room.noteSuccess();
  if (!proven && distfile !== undefined) context.unproven.note(distfile);
  if (!order.mutable) return;
  // Stored it is: for want of its record the next client has it fetched anew, no more.
  await keepRecord({ ...entry, key }, arrived, context.meta).catch((error: unknown) =>
    context.log.warn(`Cannot keep the record of "${key}": ${describe(error)}`),
  );
}

async function keepRecord(
  entry: CommittedEntry & { readonly key: string },
  { order, stream, source }: Arrived,
  meta: MetaBook,
): Promise<void> {
  const { etag, lastModified, type } = stream.origin;
  const now = Date.now();
  await meta.write(entry, {
    source: source.url,
    checked: now,
    fetched: now,
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
    ...(type === undefined ? {} : { type }),
  });
  // An index that changed makes the age of its signature and its siblings worthless.
  if (order.stored !== undefined) await meta.expireSiblings(entry.key);
}
