import { randomBytes } from 'node:crypto';
import type { Body } from '../cache/body.ts';
import { etagOf } from '../cache/entry.ts';
import { CacheError } from '../errors.ts';
import { type CacheStatus, formatCacheStatus } from '../http/cache-status.ts';
import { evaluatePreconditions, ifRangeMatches, type Validators } from '../http/conditional.ts';
import { formatHttpDate } from '../http/date.ts';
import { fieldValue } from '../http/fields.ts';
import { multipart } from '../http/multipart.ts';
import {
  type ByteRange,
  contentRange,
  parseRange,
  resolveRanges,
  unsatisfiedRange,
} from '../http/range.ts';
import type { Client } from './client.ts';
import { deliver, type Window } from './deliver.ts';
import { send } from './pump.ts';

/** A package, or the page of one, ready to be answered with. */
export interface Representation {
  /** Absent where a source was asked for a head alone. */
  readonly body?: Body;
  /** Sends a window that `body` cannot give; false when no source proves to have the same file. */
  readonly beyond?: (window: Window) => Promise<boolean>;
  /** Whether a resume from here on is better sent by a source than waited for. */
  readonly isFar?: (start: number) => Promise<boolean>;
  /** Bytes; absent while it is not known. */
  readonly length: number | undefined;
  /** Last-Modified, whole seconds since the epoch. */
  readonly mtime: number | undefined;
  readonly type: string;
  readonly cacheStatus: CacheStatus;
  /** From this byte on, a client may hold bytes of another file that had this name. */
  readonly differsAt?: number | undefined;
  /** Who passed the message on, for Via (RFC 9110 section 7.6.3). */
  readonly via: string;
}

/**
 * Answers with a representation, as its preconditions and ranges have it (RFC 9110 sections 13
 * and 14), and delivers the body.
 *
 * @throws what `deliver` throws, when the head may be out already.
 */
export async function respond(client: Client, shown: Representation): Promise<void> {
  const validators = validatorsOf(shown);
  setCacheStatus(client, shown.cacheStatus);
  for (const [name, value] of fieldsOf(shown)) client.response.setHeader(name, value);
  switch (evaluatePreconditions(client.fields, validators)) {
    case 'not-modified':
      return endWithout(client, 304);
    case 'failed':
      client.response.setHeader('Content-Length', 0);
      return endWithout(client, 412);
    case 'proceed':
  }
  const ranges = requestedRanges(client, { shown, validators });
  if (ranges === undefined) return await respondWhole(client, shown);
  const [only] = ranges;
  if (only === undefined) return refuseRange(client, shown.length ?? 0);
  if (ranges.length === 1) return await respondPart(client, { shown, range: only });
  return await respondParts(client, { shown, ranges });
}

function validatorsOf({ mtime, length }: Pick<Representation, 'mtime' | 'length'>): Validators {
  if (mtime === undefined) return {};
  return length === undefined
    ? { lastModified: mtime }
    : { lastModified: mtime, etag: etagOf(mtime, length) };
}

interface Shown {
  readonly shown: Representation;
  readonly validators: Validators;
}

/** The fields that every answer with a representation has, whatever its status. */
export function fieldsOf(shown: Representation): [name: string, value: string][] {
  const { lastModified, etag } = validatorsOf(shown);
  const fields: [string, string][] = [['Content-Type', shown.type]];
  if (lastModified !== undefined) fields.push(['Last-Modified', formatHttpDate(lastModified)]);
  if (etag !== undefined) fields.push(['ETag', etag]);
  if (shown.length !== undefined) fields.push(['Accept-Ranges', 'bytes']);
  fields.push(['Via', shown.via]);
  return fields;
}

function setCacheStatus(client: Client, status: CacheStatus): void {
  client.cacheStatus = formatCacheStatus(status);
  client.response.setHeader('Cache-Status', client.cacheStatus);
}

/** The ranges to answer with: none means 416, undefined the whole. */
function requestedRanges(client: Client, { shown, validators }: Shown) {
  const field = fieldValue(client.fields, 'range');
  // RFC 9110 section 14.2: Range means something with GET alone, and only once the length is known.
  if (field === undefined || client.method !== 'GET' || shown.length === undefined)
    return undefined;
  const condition = fieldValue(client.fields, 'if-range');
  if (condition !== undefined && !ifRangeMatches(condition, validators)) return undefined;
  const specs = parseRange(field);
  const ranges = specs && resolveRanges(specs, shown.length);
  if (condition === undefined) refuseSplice(ranges ?? [], shown.differsAt);
  return ranges;
}

// wget would glue the new file's end to the old one's beginning without a look.
function refuseSplice(ranges: readonly ByteRange[], differsAt: number | undefined): void {
  if (differsAt === undefined || ranges.every(({ start }) => start <= differsAt)) return;
  throw new CacheError('busy', {
    verb: 'resume at',
    thing: String(ranges[0]?.start),
    reason: `the file changed at byte ${differsAt}: fetch it from its start, or with If-Range`,
  });
}

async function respondWhole(client: Client, shown: Representation): Promise<void> {
  const { response } = client;
  response.statusCode = 200;
  if (shown.length !== undefined) response.setHeader('Content-Length', shown.length);
  const { body, beyond } = shown;
  if (client.method === 'HEAD' || (body ?? beyond) === undefined) return void response.end();
  await sendWindow(client, shown, { start: 0 });
  response.end();
}

interface Part {
  readonly shown: Representation;
  readonly range: ByteRange;
}

async function respondPart(client: Client, { shown, range }: Part): Promise<void> {
  const { response } = client;
  response.statusCode = 206;
  response.setHeader('Content-Length', range.end - range.start);
  response.setHeader('Content-Range', contentRange(range, shown.length));
  if (!(await sendFarAhead(client, { shown, range }))) await sendWindow(client, shown, range);
  response.end();
}

// The shape of a resume is `bytes=N-`. Closed ranges wait: aria2 opens five of them on a cold file.
async function sendFarAhead(client: Client, { shown, range }: Part): Promise<boolean> {
  const open = /-\s*$/.test(fieldValue(client.fields, 'range') ?? '');
  if (!open || range.end !== shown.length) return false;
  if ((await shown.isFar?.(range.start)) !== true) return false;
  // RFC 9211 section 2.2: what we have of it does not hold the range.
  setCacheStatus(client, { fwd: 'partial', detail: 'far-ahead' });
  if ((await shown.beyond?.(range)) === true) return true;
  setCacheStatus(client, shown.cacheStatus);
  return false;
}

// From the file as far as it goes, and from there on straight from a source.
async function sendWindow(client: Client, shown: Representation, window: Window): Promise<void> {
  const { body, beyond } = shown;
  const stopped = body === undefined ? window.start : await deliver(client, body, window);
  if (stopped === undefined) return;
  if (await beyond?.({ ...window, start: stopped })) return;
  throw new CacheError('source', {
    verb: 'go on sending at',
    thing: String(stopped),
    reason: 'it cannot be stored, and no source proves to have the same file',
  });
}

interface Parts {
  readonly shown: Representation;
  readonly ranges: readonly ByteRange[];
}

// RFC 9110 section 15.3.7.2.
async function respondParts(client: Client, { shown, ranges }: Parts): Promise<void> {
  const { response } = client;
  const { type, length = 0 } = shown;
  const boundary = randomBytes(12).toString('hex');
  const message = multipart({ ranges, length, type, boundary });
  response.statusCode = 206;
  response.setHeader('Content-Type', message.contentType);
  response.setHeader('Content-Length', message.contentLength);
  for (const { head, range } of message.parts) {
    await send(response, head);
    await sendWindow(client, shown, range);
  }
  response.end(message.tail);
}

// RFC 9110 section 15.5.17: with the current length.
function refuseRange(client: Client, length: number): void {
  client.response.setHeader('Content-Range', unsatisfiedRange(length));
  client.response.setHeader('Content-Length', 0);
  endWithout(client, 416);
}

function endWithout(client: Client, status: number): void {
  client.response.statusCode = status;
  if (status !== 304) client.response.removeHeader('Content-Type');
  client.response.end();
}
