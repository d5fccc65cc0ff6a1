import { CacheError, describe, httpStatus } from '../errors.ts';
import { type Client, resetClient } from './client.ts';
import type { ServeContext } from './context.ts';
import { ALLOWED_METHODS, hasBody } from './guard.ts';
import { closeGently } from './wire.ts';

/** Seconds after which a client that met a limit may try again (RFC 9110 section 10.2.3). */
const RETRY_AFTER = '5';

/**
 * Tells a client what went wrong, in plain text; one that has a head already learns it by a reset
 * connection.
 */
export function refuse(client: Client, error: unknown, context: ServeContext): void {
  const { response, request, socket } = client;
  context.counters.errors += 1;
  if (!(error instanceof CacheError)) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    context.log.error(`Cannot answer "${request.method} ${request.url}": ${detail}`);
  } else if (error.code === 'storage') {
    context.log.warn(error.message);
  }
  if (response.destroyed || !socket.writable) return;
  if (response.headersSent) {
    resetClient(client);
    return;
  }
  const status = error instanceof CacheError ? httpStatus[error.code] : 500;
  const text = `${error instanceof CacheError ? error.message : 'Cannot answer: internal error'}\n`;
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.setHeader('Cache-Status', `package-cache; detail=${statusDetail(error)}`);
  client.cacheStatus = statusDetail(error);
  if (status === 405) response.setHeader('Allow', ALLOWED_METHODS);
  if (status === 503) response.setHeader('Retry-After', RETRY_AFTER);
  // Where this request ends is uncertain: whatever follows it on the connection is not read.
  if (!request.complete) response.setHeader('Connection', 'close');
  if (request.complete || !hasBody(request) || request.method === 'HEAD') {
    response.end(text);
    return;
  }
  // Ended now, it would close the connection on a client that is still sending.
  response.write(text, () => closeGently(socket));
  request.resume();
}

function statusDetail(error: unknown): string {
  return error instanceof CacheError
    ? error.code
    : describe(error instanceof Error ? error.name : error);
}
