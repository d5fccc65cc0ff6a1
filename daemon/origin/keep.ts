import { dirname } from 'node:path/posix';
import type { Partial } from '../cache/partial.ts';
import type { SourceUrl } from '../config/source-url.ts';
import type { OriginHead } from './judge.ts';
import type { FillContext, FillOrder } from './order.ts';

/** A whole body and where it came from. */
export interface Arrived {
  readonly order: FillOrder;
  readonly partial: Partial;
  readonly head: OriginHead;
  readonly source: SourceUrl;
  /** The entry's Last-Modified, whole seconds since the epoch. */
  readonly mtime: number;
}

/** Makes a whole body the entry of its key and, where the name may change, keeps its record. */
export async function keep(arrived: Arrived, context: FillContext): Promise<void> {
  const { order, partial, head, source, mtime } = arrived;
  const { key } = order.route;
  const entry = await context.store.commit(partial, { key, mtime });
  if (!order.mutable) return;
  context.sticky.note(dirname(key), source);
  const now = Date.now();
  await context.meta.write(
    { ...entry, key },
    {
      source: source.url,
      checked: now,
      fetched: now,
      ...(head.etag === undefined ? {} : { etag: head.etag }),
      ...(head.lastModified === undefined ? {} : { lastModified: head.lastModified }),
      ...(head.type === undefined ? {} : { type: head.type }),
    },
  );
  // An index that changed makes the age of its signature and its siblings worthless.
  if (order.stored === true) await context.meta.expireSiblings(key);
}
