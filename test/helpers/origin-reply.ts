import { STATUS_CODES } from 'node:http';
import { type Generate, generated, inMemory, type Source } from './body.ts';
import { type Field, formatHead, valuesOf } from './fields.ts';
import type { Gate } from './gate.ts';

/** A request as the origin got it. */
export interface OriginRequest {
  readonly method: string;
  /** As it stood on the wire. */
  readonly target: string;
  readonly fields: readonly Field[];
  headerOf(name: string): string | undefined;
  /** Bytes of the answer's body that went out so far. */
  readonly sent: number;
  /** Settles when the connection it came on is gone. */
  readonly gone: Promise<void>;
}

/**
 * What the origin answers: an honest mirror's reply but for what is said here. Offsets count the
 * body bytes of this one answer.
 */
export interface Answer {
  /** Said outright, it switches ranges and conditions off. */
  readonly status?: number;
  readonly reason?: string;
  /** Added; a field of ours with the same name gives way. */
  readonly fields?: readonly Field[];
  readonly body?: Buffer | string;
  /** A body that is made on the way. */
  readonly generate?: Generate;
  /** `none`: neither Content-Length nor chunks; a number: what Content-Length claims. */
  readonly length?: 'honest' | 'none' | 'chunked' | number;
  readonly lastModified?: string | Date | false;
  readonly etag?: string | false;
  readonly ranges?: boolean;
  /** Content-Encoding; the body is sent as it is. */
  readonly encoding?: string;
  /** 1xx answers, raw, ahead of everything. */
  readonly interim?: string;
  readonly delayHead?: Gate;
  /** Pieces of `size` bytes; byte `after` (default `size`) waits at the gate. */
  readonly chunks?: { readonly size?: number; readonly gate?: Gate; readonly after?: number };
  /** Bytes, then FIN. */
  readonly cutAfter?: number;
  /** Bytes, then RST, once they have arrived. */
  readonly resetAfter?: number;
  /** Bytes, then silence on an open connection. */
  readonly stallAfter?: number;
  /** Chunked, with all chunks but the last one, then FIN. */
  readonly dropChunkEnd?: boolean;
  /** These bytes and FIN, in place of a head and a body. */
  readonly raw?: Buffer | string;
  /** Bytes a second. */
  readonly rate?: number;
}

/** An answer worked out for one request. */
export interface Reply {
  readonly head: Buffer;
  readonly source: Source;
  readonly from: number;
  readonly to: number;
  readonly chunked: boolean;
  /** The connection ends with this answer. */
  readonly close: boolean;
}

interface Choice {
  readonly status: number;
  readonly from: number;
  readonly to: number;
  readonly fields: readonly Field[];
}

export const defaultLastModified = 'Wed, 01 Jan 2025 00:00:00 GMT';

/** Head and part of the body that answer the request. */
export function replyTo(request: OriginRequest, answer: Answer): Reply {
  const source = sourceOf(answer);
  const validators = validatorsOf(answer, source.size);
  const choice = choose({ request, answer, size: source.size, validators });
  const bodiless = choice.status < 200 || choice.status === 204 || choice.status === 304;
  const chunked = answer.length === 'chunked' || answer.dropChunkEnd === true;
  const own: Field[] = [
    ['Date', new Date().toUTCString()],
    ['Server', 'origin'],
    ['Content-Type', choice.status < 400 ? 'application/octet-stream' : 'text/html'],
    ...(choice.status < 400 ? validators : []),
    ...(answer.ranges === false ? [] : [['Accept-Ranges', 'bytes'] as const]),
    ...(answer.encoding === undefined ? [] : [['Content-Encoding', answer.encoding] as const]),
    ...(bodiless ? [] : framing(answer, choice)),
    ...choice.fields,
  ];
  const fields = merge(own, answer.fields ?? []);
  const reason = answer.reason ?? STATUS_CODES[choice.status] ?? '';
  const silent = bodiless || request.method === 'HEAD';
  return {
    head: formatHead(`HTTP/1.1 ${choice.status} ${reason}`, fields),
    source,
    from: choice.from,
    to: silent ? choice.from : choice.to,
    chunked: chunked && !silent,
    close:
      asksToClose(fields) ||
      asksToClose(request.fields) ||
      (!silent && !isHonest(answer, choice.to - choice.from)),
  };
}

function sourceOf(answer: Answer): Source {
  if (answer.generate !== undefined) return generated(answer.generate);
  const status = answer.status ?? 200;
  const page = `<html><title>${status} ${STATUS_CODES[status] ?? ''}</title></html>\n`;
  return inMemory(answer.body ?? (status < 400 ? '' : page));
}

function validatorsOf(answer: Answer, size: number): Field[] {
  const { lastModified = defaultLastModified, etag } = answer;
  const date = lastModified instanceof Date ? lastModified.toUTCString() : lastModified;
  const seconds = Math.floor(Date.parse(date || defaultLastModified) / 1000);
  const tag = etag ?? `"${seconds.toString(16)}-${size.toString(16)}"`;
  return [
    ...(date === false ? [] : [['Last-Modified', date] as const]),
    ...(tag === false ? [] : [['ETag', tag] as const]),
  ];
}

function choose(given: {
  request: OriginRequest;
  answer: Answer;
  size: number;
  validators: readonly Field[];
}): Choice {
  const { request, answer, size, validators } = given;
  const whole = { status: answer.status ?? 200, from: 0, to: size, fields: [] };
  if (answer.status !== undefined) return whole;
  if (isNotModified(request, validators)) return { ...whole, status: 304, to: 0 };
  const range = answer.ranges === false ? undefined : rangeOf(request, size, validators);
  if (range === undefined) return whole;
  if (range.from >= range.to) {
    return { status: 416, from: 0, to: 0, fields: [['Content-Range', `bytes */${size}`]] };
  }
  const { from, to } = range;
  return { status: 206, from, to, fields: [['Content-Range', `bytes ${from}-${to - 1}/${size}`]] };
}

function isNotModified(request: OriginRequest, validators: readonly Field[]): boolean {
  const [etag] = valuesOf(validators, 'etag');
  const [date = ''] = valuesOf(validators, 'last-modified');
  const tags = request.headerOf('if-none-match');
  if (tags !== undefined) return etag !== undefined && tags.split(/,\s*/).includes(etag);
  return Date.parse(date) <= Date.parse(request.headerOf('if-modified-since') ?? '');
}

function rangeOf(
  request: OriginRequest,
  size: number,
  validators: readonly Field[],
): { from: number; to: number } | undefined {
  const condition = request.headerOf('if-range');
  if (condition !== undefined && !validators.some(([, value]) => value === condition)) return;
  const match = /^bytes=(\d*)-(\d*)$/.exec(request.headerOf('range') ?? '');
  if (match === null || match[0] === 'bytes=-') return undefined;
  const [, first = '', last = ''] = match;
  if (first === '') return { from: Math.max(0, size - Number(last)), to: size };
  return { from: Number(first), to: last === '' ? size : Math.min(size, Number(last) + 1) };
}

function framing(answer: Answer, { from, to }: Choice): Field[] {
  if (answer.length === 'chunked' || answer.dropChunkEnd) return [['Transfer-Encoding', 'chunked']];
  if (answer.length === 'none') return [['Connection', 'close']];
  const length = typeof answer.length === 'number' ? answer.length : to - from;
  return [['Content-Length', String(length)]];
}

function isHonest(answer: Answer, size: number): boolean {
  if (answer.length === 'none' || answer.dropChunkEnd) return false;
  return typeof answer.length !== 'number' || answer.length === size;
}

function asksToClose(fields: readonly Field[]): boolean {
  return valuesOf(fields, 'connection').some((value) => /\bclose\b/i.test(value));
}

function merge(own: readonly Field[], given: readonly Field[]): Field[] {
  const kept = own.filter(([name]) => valuesOf(given, name).length === 0);
  return [...kept, ...given];
}
