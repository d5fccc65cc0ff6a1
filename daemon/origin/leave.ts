import { removeFile } from '../cache/durable.ts';
import type { CacheError } from '../errors.ts';
import type { Stream } from './beginning.ts';
import type { FillContext } from './order.ts';

/** What a failed fill leaves. */
export interface Remains {
  readonly stream: Stream;
  readonly reason: CacheError;
  /** It is not what the sources have, or not what it should be. */
  readonly worthless: boolean;
}

/** Keeps what helps the next fill, unless it is of another file or the disk is in trouble. */
export async function leaveBehind(
  { stream, reason, worthless }: Remains,
  context: FillContext,
): Promise<void> {
  const { partial, record } = stream;
  context.log.warn(`${reason.message} (after ${partial.written} bytes)`);
  const useful = reason.code !== 'storage' && !worthless && partial.written > 0;
  if (record === undefined || !useful) {
    await clearAway(stream, context);
    return;
  }
  await partial.sync();
  await context.partials.write({ ...record, synced: partial.written });
}

/** Removes a partial and its record. */
export async function clearAway(
  { partial, record }: Stream,
  { partials }: FillContext,
): Promise<void> {
  // After a commit nothing is left at this path.
  await removeFile(partial.path);
  if (record !== undefined) await partials.forget(record.key);
}
