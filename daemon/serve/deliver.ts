import type { ServerResponse } from 'node:http';
import type { Body } from '../cache/body.ts';
import { CacheError } from '../errors.ts';
import type { Client } from './client.ts';

/** A client costs at most one chunk of this many bytes, however slow it is. */
const CHUNK = 64 * 1024;

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
 * @throws the fill's failure, or CacheError `truncated` when the file is shorter than it was.
 */
export async function deliver(
  client: Client,
  body: Body,
  window: Window,
): Promise<number | undefined> {
  const { response } = client;
  const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK, endOf(body, window) - window.start));
  let offset = window.start;
  while (!response.destroyed) {
    // Asked anew each time: the length of a chunked body is known only when it ends.
    const end = endOf(body, window);
    if (offset >= end) return undefined;
    if (body.available() <= offset) {
      response.flushHeaders();
      if (!(await grows(body, offset))) return offset;
      continue;
    }
    const wanted = Math.min(chunk.length, end - offset, body.available() - offset);
    const { bytesRead } = await body.handle.read(chunk, 0, wanted, offset);
    if (bytesRead === 0) throw truncated(offset);
    await send(response, chunk.subarray(0, bytesRead));
    offset += bytesRead;
    client.sent += bytesRead;
  }
  return undefined;
}

async function grows(body: Body, offset: number): Promise<boolean> {
  try {
    await body.whenBeyond(offset);
    return true;
  } catch (error) {
    if (error instanceof CacheError && error.code === 'storage') return false;
    throw error;
  }
}

function endOf(body: Body, window: Window): number {
  const length = body.length ?? Number.MAX_SAFE_INTEGER;
  return Math.min(window.end ?? length, length);
}

/** Sends bytes and waits until they are with the kernel, or the client is gone. */
export function send(response: ServerResponse, bytes: Buffer | string): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('close', done);
      resolve();
    };
    // A response that waits behind another on its connection is not told of its end by its write.
    response.once('close', done);
    response.write(bytes, done);
  });
}

function truncated(offset: number): CacheError {
  return new CacheError('storage', {
    verb: 'send',
    thing: `bytes from ${offset}`,
    reason: 'the file was made shorter while it was read',
  });
}
