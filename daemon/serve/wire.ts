import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { errnoOf } from '../errors.ts';
import { ALLOWED_METHODS } from './guard.ts';

/** So long a client may go on sending what nobody reads, before its connection breaks. */
const LINGER = 5000;

/** An answer outside any request. */
export interface WireAnswer {
  readonly status: number;
  readonly reason: string;
}

/** What Node's parser says of input that is no request. */
export interface ParseError extends Error {
  /** The piece of input it was in, which may begin with good requests. */
  readonly rawPacket?: Buffer;
  readonly bytesParsed?: number;
}

/** What to say of input that Node's parser refused before there was a request. */
export function wireAnswerTo(error: ParseError): WireAnswer {
  return { status: statusOf(error), reason: error.message };
}

/** Writes a whole response and ends the connection. */
export function writeAndClose(socket: Socket, { status, reason }: WireAnswer): void {
  const text = `Cannot serve the request: ${reason}\n`;
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...(status === 405 ? [`Allow: ${ALLOWED_METHODS}`] : []),
    ...(status === 503 ? ['Retry-After: 5'] : []),
    'Connection: close',
  ];
  if (socket.writable) socket.write(`${lines.join('\r\n')}\r\n\r\n${text}`);
  closeGently(socket);
}

/**
 * Ends a connection behind its last answer. What still comes is read and thrown away for a moment
 * (RFC 9112 section 9.6): unread input turns a close into a reset, which may overtake the answer.
 */
export function closeGently(socket: Socket): void {
  if (socket.destroyed) return;
  socket.end();
  // Nobody parses what still comes: Node would keep every request that it finds in there.
  socket.on('data', () => {});
  socket.removeAllListeners('data');
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER);
  socket.once('close', () => clearTimeout(timer));
}

/**
 * Has nobody told of further requests on a connection: of each, Node makes objects that it keeps
 * until the connection is gone, and a piece of 64 kB may hold thousands.
 */
export function ignoreRequests(socket: Socket): void {
  // Node has no other way to stop in the middle of a piece.
  const { parser } = socket as { parser?: { onIncoming: unknown } | null };
  if (!parser) return;
  parser.onIncoming = (request: IncomingMessage & { upgrade: boolean }) => {
    // It breaks a connection with an upgrade that nobody takes, and the answers that are to come.
    request.upgrade = false;
    return 0;
  };
}

function statusOf(error: ParseError): number {
  switch (errnoOf(error)) {
    case 'HPE_HEADER_OVERFLOW':
      return 431;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408;
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 413;
    case 'HPE_INVALID_METHOD':
    case 'HPE_INVALID_VERSION':
      return statusOfLine(failedLine(error));
    default:
      return 400;
  }
}

function failedLine({ rawPacket, bytesParsed = 0 }: ParseError): string {
  const start = (rawPacket?.subarray(0, bytesParsed).lastIndexOf('\n') ?? -1) + 1;
  const [line = ''] = rawPacket?.toString('latin1', start, start + 2048).split('\r\n') ?? [];
  return line;
}

// RFC 9110 sections 15.5.6 and 15.6.6: a well-formed line with a method or a version we lack.
function statusOfLine(line: string): number {
  const [, method, major, minor] =
    /^([!#$%&'*+\-.^_`|~\dA-Za-z]+) [!-~]+ HTTP\/(\d)\.(\d)$/.exec(line) ?? [];
  if (method === undefined) return 400;
  return major === '1' && (minor === '0' || minor === '1') ? 405 : 505;
}
