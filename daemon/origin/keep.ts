import type { SourceUrl } from '../config/source-url.ts';
import type { Stream } from './beginning.ts';
import type { FillContext, FillOrder } from './order.ts';

/** A whole body and where it came from. */
export interface Arrived {
  readonly order: FillOrder;
  readonly stream: Stream;
  readonly source: SourceUrl;
}

/** Makes a whole body the entry of its key and, where the name may change, keeps its record. */
export async function keep(arrived: Arrived, context: FillContext): Promise<void> {
  const { order, stream, source } = arrived;
  const { partial, head, origin } = stream;
  const { key } = order.route;
  const entry = await context.store.commit(partial, { key, mtime: head.mtime });
  context.census.noteCommit({ key, size: entry.size, replaced: order.stored });
  context.room.noteSuccess();
  if (!order.mutable) return;
  const now = Date.now();
  await context.meta.write(
    { ...entry, key },
    {
      source: source.url,
      checked: now,
      fetched: now,
      ...(origin.etag === undefined ? {} : { etag: origin.etag }),
      ...(origin.lastModified === undefined ? {} : { lastModified: origin.lastModified }),
      ...(origin.type === undefined ? {} : { type: origin.type }),
    },
  );
  // An index that changed makes the age of its signature and its siblings worthless.
  if (order.stored !== undefined) await context.meta.expireSiblings(key);
}
