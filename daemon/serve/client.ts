import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  fieldValue,
  parseCacheControl,
  type RawFields,
  type RequestCacheControl,
} from '../http/fields.ts';
import type { Delivery } from './pump.ts';

/** One request and the answer it is to get. */
export interface Client {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The connection; the request itself forgets it when it is destroyed. */
  readonly socket: Socket;
  readonly method: 'GET' | 'HEAD';
  readonly fields: RawFields;
  readonly cacheControl: RequestCacheControl;
  /** The peer's address, as the socket named it when the request came. */
  readonly address: string;
  /** How bodies are sent to it. */
  readonly delivery: Delivery;
  /** Body bytes sent so far. */
  sent: number;
  /** What Cache-Status said, for the access log. */
  cacheStatus: string;
}

/** The client behind a request, and how it is served. */
export function createClient(
  request: IncomingMessage,
  response: ServerResponse,
  delivery: Delivery,
): Client {
  const fields = request.rawHeaders;
  return {
    request,
    response,
    socket: request.socket,
    method: request.method === 'HEAD' ? 'HEAD' : 'GET',
    fields,
    cacheControl: parseCacheControl(fieldValue(fields, 'cache-control')),
    address: request.socket.remoteAddress ?? '',
    delivery,
    sent: 0,
    cacheStatus: '-',
  };
}

/** Has work done for a client, and given up when the client leaves: nobody is asked in vain. */
export async function whileThere<Result>(
  { response }: Client,
  work: (gone: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const gone = new AbortController();
  const leave = () => gone.abort(new Error('the client is gone'));
  response.once('close', leave);
  try {
    return await work(gone.signal);
  } finally {
    response.off('close', leave);
  }
}

/**
 * Breaks the connection with a RST. A clean end, even a mere FIN, would let a client take a short
 * body for a whole one.
 */
export function resetClient({ socket }: Client): void {
  socket.resetAndDestroy();
}
