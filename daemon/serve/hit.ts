import { storedBody } from '../cache/body.ts';
import type { Entry } from '../cache/entry.ts';
import type { Meta } from '../cache/meta.ts';
import { describe } from '../errors.ts';
import { type CacheStatus, formatCacheStatus } from '../http/cache-status.ts';
import { hasField } from '../http/fields.ts';
import { contentTypeOf } from '../http/media-type.ts';
import type { Client } from './client.ts';
import type { PreparedHead, ServeContext } from './context.ts';
import { fieldsOf, type Representation, respond } from './respond.ts';

/** A stored entry that is to be answered with. */
export interface Stored {
  readonly entry: Entry;
  readonly meta: Meta | undefined;
  readonly cacheStatus: CacheStatus;
}

/** With one of these an answer may be another than the whole. */
const choosing: ReadonlySet<string> = new Set([
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
]);

/** Answers from the store. The caller releases the entry. */
export async function respondStored(
  client: Client,
  stored: Stored,
  context: ServeContext,
): Promise<void> {
  const { counters } = context;
  const before = client.sent;
  noteUse(stored.entry, context);
  if (!respondAtOnce(client, stored, context)) {
    await respond(client, representationOf(stored, context));
  }
  if (stored.cacheStatus.hit === true) counters.bytesHit += client.sent - before;
}

function representationOf({ entry, meta, cacheStatus }: Stored, context: ServeContext) {
  return {
    body: storedBody(entry),
    length: entry.size,
    mtime: entry.mtime,
    type: meta?.type ?? contentTypeOf(entry.key),
    cacheStatus,
    differsAt: context.fills.differsAt(entry.key),
    via: `1.1 ${context.id}`,
  } satisfies Representation;
}

/**
 * Answers a plain GET with a body that is in memory: with a head prepared before, in one write,
 * and nothing to wait for.
 *
 * @returns false, with nothing done, where that is not what the request needs.
 */
function respondAtOnce(client: Client, stored: Stored, context: ServeContext): boolean {
  const { entry, meta, cacheStatus } = stored;
  const { bytes } = entry;
  const hot = bytes !== undefined && meta === undefined && cacheStatus.hit === true;
  if (!hot || client.method !== 'GET' || hasField(client.fields, choosing)) return false;
  let head = context.heads.get(bytes);
  if (head === undefined) {
    head = prepareHead(stored, context);
    context.heads.set(bytes, head);
  }
  client.cacheStatus = head.cacheStatus;
  client.response.writeHead(200, head.fields);
  client.response.end(bytes);
  client.sent += bytes.length;
  return true;
}

function prepareHead(stored: Stored, context: ServeContext): PreparedHead {
  const shown = representationOf(stored, context);
  const cacheStatus = formatCacheStatus(shown.cacheStatus);
  const length = String(shown.length);
  const own = ['Cache-Status', cacheStatus, 'Content-Length', length];
  return { cacheStatus, fields: [...own, ...fieldsOf(shown).flat()] };
}

// No client waits for it; a file that is not ours to touch is served all the same.
function noteUse(entry: Entry, { store, census, log }: ServeContext): void {
  store
    .touch(entry)
    ?.then(() => census.noteTouch(entry))
    .catch((error: unknown) => {
      log.debug(`Cannot note the use of "${entry.path}": ${describe(error)}`);
    });
}
