import { type Field, parseHead, valuesOf } from './fields.ts';
import type { Wire } from './wire.ts';

/** `short`: FIN inside the body; `chunk-missing`: FIN before the last chunk; `reset`: RST. */
export type Ended = 'complete' | 'short' | 'reset' | 'chunk-missing';

/** The head of a final answer. */
export interface Head {
  readonly status: number;
  readonly reason: string;
  readonly version: string;
  readonly fields: readonly Field[];
  /** The first field of that name. */
  header(name: string): string | undefined;
  headers(name: string): string[];
  /** The 1xx answers that came before. */
  readonly interim: readonly number[];
  /** `performance.now()` when the head was whole. */
  readonly headAt: number;
}

export interface Answer extends Head {
  readonly body: Buffer;
  readonly ended: Ended;
  readonly firstByteAt: number | undefined;
  /** Bytes behind the answer that nothing announced; 0 on a sane server. */
  readonly surplus: number;
}

/** Bytes of a body, decoded from chunks; returns how it ended. */
export type Pieces = AsyncGenerator<Buffer, Ended, undefined>;

/** Reads 1xx answers and the final head. */
export async function readHead(wire: Wire): Promise<Head> {
  const interim: number[] = [];
  for (;;) {
    const bytes = await wire.until('\r\n\r\n');
    if (bytes === undefined)
      throw new Error(`No answer: ${wire.ending} after ${wire.buffered} bytes`);
    const head = headOf(bytes, interim);
    if (head.status >= 200 || head.status === 101) return head;
    interim.push(head.status);
  }
}

/** The body that belongs to a head (RFC 9112 section 6.3). */
export function readBody(wire: Wire, head: Head, method: string): Pieces {
  if (method === 'HEAD' || head.status === 204 || head.status === 304) return lengthBody(wire, 0);
  if (head.header('transfer-encoding') !== undefined) return chunkedBody(wire);
  const lengths = head.headers('content-length');
  if (lengths.length === 0) return bodyToClose(wire);
  const [length = ''] = lengths;
  if (lengths.length > 1 || !/^\d+$/.test(length)) {
    throw new Error(`Not a Content-Length: ${lengths.join(', ')}`);
  }
  return lengthBody(wire, Number(length));
}

function headOf(bytes: Buffer, interim: readonly number[]): Head {
  const { start, fields } = parseHead(bytes);
  const match = /^HTTP\/(\d\.\d) (\d{3})(?: (.*))?$/.exec(start);
  if (match === null) throw new Error(`Not a status line: ${JSON.stringify(start)}`);
  const [, version = '', status = '', reason = ''] = match;
  return {
    status: Number(status),
    reason,
    version,
    fields,
    header: (name) => valuesOf(fields, name)[0],
    headers: (name) => valuesOf(fields, name),
    interim,
    headAt: performance.now(),
  };
}

async function* lengthBody(wire: Wire, length: number): Pieces {
  for (let left = length; left > 0; ) {
    const piece = await wire.some(left);
    if (piece === undefined) return brokenOff(wire, 'short');
    left -= piece.length;
    yield piece;
  }
  return 'complete';
}

async function* bodyToClose(wire: Wire): Pieces {
  for (;;) {
    const piece = await wire.some(Number.POSITIVE_INFINITY);
    if (piece === undefined) return brokenOff(wire, wire.ending === 'fin' ? 'complete' : 'short');
    yield piece;
  }
}

async function* chunkedBody(wire: Wire): Pieces {
  for (;;) {
    const line = await wire.until('\r\n');
    if (line === undefined) return brokenOff(wire, 'chunk-missing');
    const size = chunkSize(line);
    if (size === 0) return readTrailers(wire);
    const ended = yield* lengthBody(wire, size);
    if (ended !== 'complete') return brokenOff(wire, 'chunk-missing');
    const end = await wire.until('\r\n');
    if (end === undefined) return brokenOff(wire, 'chunk-missing');
    if (end.length !== 2) throw new Error('A chunk is longer than its size');
  }
}

async function readTrailers(wire: Wire): Promise<Ended> {
  for (;;) {
    const line = await wire.until('\r\n');
    if (line === undefined) return brokenOff(wire, 'chunk-missing');
    if (line.length === 2) return 'complete';
  }
}

function chunkSize(line: Buffer): number {
  const match = /^([0-9a-f]+)(?:;.*)?\r\n$/i.exec(line.toString('latin1'));
  if (match?.[1] === undefined)
    throw new Error(`Not a chunk size: ${JSON.stringify(String(line))}`);
  return Number.parseInt(match[1], 16);
}

function brokenOff(wire: Wire, ended: Ended): Ended {
  return wire.ending === 'reset' ? 'reset' : ended;
}
