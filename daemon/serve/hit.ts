import { storedBody } from '../cache/body.ts';
import type { Entry } from '../cache/entry.ts';
import type { Meta } from '../cache/meta.ts';
import { describe } from '../errors.ts';
import type { CacheStatus } from '../http/cache-status.ts';
import { contentTypeOf } from '../http/media-type.ts';
import type { Client } from './client.ts';
import type { ServeContext } from './context.ts';
import { respond } from './respond.ts';

/** A stored entry that is to be answered with. */
export interface Stored {
  readonly entry: Entry;
  readonly meta: Meta | undefined;
  readonly cacheStatus: CacheStatus;
}

/** Answers from the store. The caller releases the entry. */
export async function respondStored(
  client: Client,
  { entry, meta, cacheStatus }: Stored,
  context: ServeContext,
): Promise<void> {
  const { counters, id } = context;
  noteUse(entry, context);
  const before = client.sent;
  await respond(client, {
    body: storedBody(entry.file, entry.size),
    length: entry.size,
    mtime: entry.mtime,
    type: meta?.type ?? contentTypeOf(entry.key),
    cacheStatus,
    differsAt: context.fills.differsAt(entry.key),
    via: `1.1 ${id}`,
  });
  if (cacheStatus.hit === true) counters.bytesHit += client.sent - before;
}

// No client waits for it; a file that is not ours to touch is served all the same.
function noteUse(entry: Entry, { store, census, log }: ServeContext): void {
  store
    .touch(entry)
    .then((touched) => {
      if (touched) census.noteTouch(entry);
    })
    .catch((error: unknown) => {
      log.debug(`Cannot note the use of "${entry.path}": ${describe(error)}`);
    });
}
