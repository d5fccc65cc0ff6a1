import type { ServerResponse } from 'node:http';
import type { Body } from '../cache/body.ts';
import { CacheError } from '../errors.ts';
import type { Client } from './client.ts';
import { send } from './pump.ts';

/** Which bytes of a body go out; without an end, all there will be. */
export interface Window {
  readonly start: number;
  /** Exclusive. */
  readonly end?: number;
}

/**
 * Sends a window of a body, as it becomes available, at the client's own pace. Returns early when
 * the client is gone.
 *
 * @returns undefined, or where the file stopped growing because the disk is in trouble: from there
 * on the body has to come from elsewhere.
 * @throws the fill's failure, or CacheError `storage` when the file is shorter than it was.
 */
export async function deliver(
  client: Client,
  body: Body,
  window: Window,
): Promise<number | undefined> {
  const { response, delivery } = client;
  if (body.bytes !== undefined) return await sendBytes(client, body.bytes, window);
  let { handle } = body;
  let pump = delivery.open(response, handle);
  let offset = window.start;
  while (!response.destroyed) {
    const available = body.available();
    // Another copy of the file may have taken over.
    if (body.handle !== handle) {
      handle = body.handle;
      pump = delivery.open(response, handle);
    }
    // Asked anew each time: the length of a chunked body is known only when it ends.
    const end = endOf(body, window);
    if (offset >= end) return undefined;
    if (available <= offset) {
      // Node writes again, if only nothing, for a head that is out.
      if (!response.headersSent) response.flushHeaders();
      if (!(await grows(response, body, offset))) return offset;
      continue;
    }
    const moved = await pump.move({ start: offset, end: Math.min(end, available) });
    if (moved === 0) throw truncated(offset);
    offset += moved;
    body.passed(offset);
    client.sent += moved;
  }
  return undefined;
}

async function sendBytes(client: Client, bytes: Buffer, { start, end }: Window) {
  const piece = bytes.subarray(start, end);
  await send(client.response, piece);
  client.sent += piece.length;
  return undefined;
}

async function grows(response: ServerResponse, body: Body, offset: number): Promise<boolean> {
  // Who has left waits for nothing: the source may stand still for long.
  const gone = Promise.withResolvers<void>();
  response.once('close', gone.resolve);
  try {
    await Promise.race([body.whenBeyond(offset), gone.promise]);
    return true;
  } catch (error) {
    if (error instanceof CacheError && error.code === 'storage') return false;
    throw error;
  } finally {
    response.off('close', gone.resolve);
  }
}

function endOf(body: Body, window: Window): number {
  const length = body.length ?? Number.MAX_SAFE_INTEGER;
  return Math.min(window.end ?? length, length);
}

function truncated(offset: number): CacheError {
  return new CacheError('storage', {
    verb: 'send',
    thing: `bytes from ${offset}`,
    reason: 'the file was made shorter while it was read',
  });
}
