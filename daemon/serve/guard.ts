import type { IncomingMessage, ServerResponse } from 'node:http';
import { CacheError } from '../errors.ts';
import { fieldLines, fieldValue, hasField, isHostField, listMembers } from '../http/fields.ts';

/** The methods we answer, as the Allow field names them. */
export const ALLOWED_METHODS = 'GET, HEAD';

const framing: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);

/** A request has no use for a body; so much of one is read and thrown away. */
const MAX_REQUEST_BODY = 64 * 1024;

/**
 * Refuses what Node's parser lets through: it is made to be lenient, and a cache behind which
 * others stand must not be.
 *
 * @throws CacheError `version`, `bad-request`, `not-implemented`, `method` or `loop`.
 */
export function checkRequest(request: IncomingMessage, ownId: string): void {
  const { httpVersion, rawHeaders: fields } = request;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') {
    throw refused('version', { request, reason: `HTTP/${httpVersion} is not spoken here` });
  }
  checkHost(request);
  const coding = fieldValue(fields, 'transfer-encoding');
  if (coding !== undefined && httpVersion === '1.0') {
    // RFC 9112 section 6.1: its framing is faulty, whatever else it says.
    throw refused('bad-request', { request, reason: 'HTTP/1.0 has no Transfer-Encoding' });
  }
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked') {
    throw refused('not-implemented', {
      request,
      reason: 'no transfer coding but chunked is known',
    });
  }
  if (fieldValue(fields, 'upgrade') !== undefined && hasBody(request)) {
    // Node's parser tells no error from here on: a body that is none would be waited for.
    throw refused('bad-request', { request, reason: 'it asks for an upgrade, and has a body' });
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw refused('method', {
      request,
      reason: `the method is ${request.method}, not GET or HEAD`,
    });
  }
  if (['via', 'cdn-loop'].some((name) => fieldValue(fields, name)?.includes(ownId))) {
    throw refused('loop', {
      request,
      reason: 'it has been here before: a source leads back to us',
    });
  }
}

// RFC 9112 section 3.2: one Host, and a well-formed one, or 400.
function checkHost(request: IncomingMessage): void {
  const hosts = fieldLines(request.rawHeaders, 'host');
  if (hosts.length > 1) throw refused('bad-request', { request, reason: 'it has several Hosts' });
  const [host] = hosts;
  if (host === undefined && request.httpVersion === '1.1') {
    throw refused('bad-request', { request, reason: 'it has no Host' });
  }
  if (host !== undefined && !isHostField(host)) {
    throw refused('bad-request', { request, reason: 'its Host is malformed' });
  }
}

/** The ids of the caches like this one that a request came through; nothing else is handed on. */
export function hopsOf({ rawHeaders }: IncomingMessage): readonly string[] {
  const passed = fieldValue(rawHeaders, 'cdn-loop');
  if (passed === undefined) return [];
  return listMembers(passed).filter((member) => /^package-cache-[\da-f]{16}$/.test(member));
}

/** Whether a body follows the head of a request. */
export function hasBody(request: IncomingMessage): boolean {
  // Node makes an object of all fields for whoever looks at `headers`, and few requests need it.
  if (!hasField(request.rawHeaders, framing)) return false;
  return request.headers['transfer-encoding'] !== undefined || announcedLength(request) > 0;
}

/**
 * Reads a body that came with a GET and throws it away, before anything is answered: its framing
 * may be broken, and the next request begins behind it.
 *
 * @throws CacheError `too-large`, or `bad-request` when it breaks off.
 */
export async function dropBody(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!hasBody(request)) return;
  if (announcedLength(request) > MAX_REQUEST_BODY) throw tooLarge(request);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let bytes = 0;
  const read = () => {
    // RFC 9110 section 10.1.1: the client waits for leave to send it.
    if (expectsContinue(request)) response.writeContinue();
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_REQUEST_BODY) reject(tooLarge(request));
    });
  };
  request.once('end', resolve);
  request.once('close', () =>
    reject(refused('bad-request', { request, reason: 'its body broke off' })),
  );
  // Behind other answers Node would keep the leave, and write it between this one's head and body.
  if (response.socket === null) response.once('socket', read);
  else read();
  await promise;
}

function expectsContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return httpVersion === '1.1' && /\b100-continue\b/i.test(headers.expect ?? '');
}

function announcedLength({ headers }: IncomingMessage): number {
  return Number(headers['content-length'] ?? 0);
}

function tooLarge(request: IncomingMessage): CacheError {
  const reason = `its body has over ${MAX_REQUEST_BODY} bytes`;
  return refused('too-large', { request, reason });
}

interface Refused {
  readonly request: IncomingMessage;
  readonly reason: string;
}

function refused(code: CacheError['code'], { request, reason }: Refused): CacheError {
  const thing = (request.url ?? '').slice(0, 200);
  return new CacheError(code, { verb: 'answer request for', thing, reason });
}
