import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { errnoOf } from '../errors.ts';
import { ALLOWED_METHODS } from './guard.ts';

/**
 * Answers what Node's parser refused before there was a request, and closes the connection: where
 * the next request would begin is uncertain.
 */
export function refuseOnWire(socket: Socket, error: Error & { rawPacket?: Buffer }): void {
  const status = statusOf(errnoOf(error), error.rawPacket);
  writeAndClose(socket, { status, reason: error.message });
}

/** An answer outside any request. */
export interface WireAnswer {
  readonly status: number;
  readonly reason: string;
}

/** Writes a whole response and ends the connection. */
export function writeAndClose(socket: Socket, { status, reason }: WireAnswer): void {
  if (!socket.writable) return void socket.destroy();
  const text = `Cannot serve the request: ${reason}\n`;
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...(status === 405 ? [`Allow: ${ALLOWED_METHODS}`] : []),
    ...(status === 503 ? ['Retry-After: 5'] : []),
    'Connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`);
  // Unread input would turn the close into a reset, which could overtake the answer.
  socket.resume();
  socket.setTimeout(1000, () => socket.destroy());
}

function statusOf(code: string | undefined, packet: Buffer | undefined): number {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 431;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408;
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 413;
    case 'HPE_INVALID_METHOD':
    case 'HPE_INVALID_VERSION':
      return statusOfLine(packet?.toString('latin1', 0, 2048).split('\r\n')[0] ?? '');
    default:
      return 400;
  }
}

// RFC 9110 sections 15.5.6 and 15.6.6: a well-formed line with a method or a version we lack.
function statusOfLine(line: string): number {
  const [, method, major, minor] =
    /^([!#$%&'*+\-.^_`|~\dA-Za-z]+) [!-~]+ HTTP\/(\d)\.(\d)$/.exec(line) ?? [];
  if (method === undefined) return 400;
  return major === '1' && (minor === '0' || minor === '1') ? 405 : 505;
}
