import { isHtmlName } from '../cache/policy.ts';
import type { SourceUrl } from '../config/source-url.ts';
import { parseHttpDate } from '../http/date.ts';
import { fieldLines, fieldValue, listMembers } from '../http/fields.ts';
import type { AnswerHead } from './exchange.ts';

/** What an answer has to be before a byte of it is believed. */
export interface Expected {
  /** The name that was asked for, decoded. */
  readonly path: string;
  readonly mutable: boolean;
  /** A listing or a query, which may well be an HTML page. */
  readonly page?: boolean;
  /** Our own validators were sent, so that 304 is an answer. */
  readonly conditional?: boolean;
  /** A range from this offset was asked for, so that 206 from there is an answer. */
  readonly offset?: number;
  /** The whole is an answer to that, too. */
  readonly orWhole?: boolean;
  /** The lengths in bytes that the file may have; any, when nothing is said. */
  readonly sizes?: readonly number[] | undefined;
}

/** The head of an answer that may be used. */
export interface OriginHead {
  /** The length of the whole representation in bytes, unless it will only be known at its end. */
  readonly length?: number;
  /** The framing tells a whole body from one that was cut (RFC 9112 section 8). */
  readonly framed: boolean;
  /** Whole seconds since the epoch. */
  readonly lastModified?: number;
  readonly etag?: string;
  readonly type?: string;
}

/** What became of an answer. */
export type Verdict =
  /** `from` is the offset of the first byte that follows. */
  | { readonly kind: 'good'; readonly head: OriginHead; readonly from: number }
  | { readonly kind: 'unchanged' }
  /** 404 or 410: an answer that costs no health. */
  | { readonly kind: 'missing'; readonly reason: string }
  /** No answer to this question, by a source that may well have one to the next: costs none too. */
  | { readonly kind: 'unfit'; readonly reason: string }
  | { readonly kind: 'bad'; readonly reason: string }
  /** Whole, as it seems, but the file must have another length. */
  | { readonly kind: 'bad'; readonly reason: string; readonly length: number };

/** The client errors (RFC 9110 section 15.5) that are about the source and not about the file. */
const SICK = new Set([401, 407, 408, 421, 425, 429]);

/** What one source said, for the client's error text, the log and `sources`. */
export interface Said {
  readonly source: SourceUrl;
  readonly reason: string;
  /** The length it had to offer, where the file must have another. */
  readonly length?: number | undefined;
}

/**
 * Decides whether an answer is the package. What is not — an error page with status 200, an empty
 * body, a coding of its own — counts against the source.
 */
export function judge(answer: AnswerHead, expected: Expected): Verdict {
  const { status } = answer;
  if (status === 404 || status === 410) return { kind: 'missing', reason: `status ${status}` };
  if (status === 304 && expected.conditional === true) return { kind: 'unchanged' };
  const ranged = expected.offset !== undefined && status === 206;
  const whole = status === 200 && (expected.offset === undefined || expected.orWhole === true);
  if (!ranged && !whole) return judgeStatus(status, expected);
  const coding = contentCoding(answer, expected.path) ?? transferCoding(answer);
  if (coding !== undefined) return bad(coding);
  const type = fieldValue(answer.fields, 'content-type');
  if (isHtml(type) && expected.page !== true && !isHtmlName(expected.path)) {
    return bad('an HTML page, not a package');
  }
  const lengths = new Set(fieldLines(answer.fields, 'content-length'));
  if (lengths.size > 1) return bad('several lengths');
  const [text] = lengths;
  const length = text === undefined || isChunked(answer) ? undefined : parseLength(text);
  if (Number.isNaN(length)) return bad(`the length "${text}"`);
  const verdict = ranged
    ? judgeRange(answer, { length, offset: expected.offset ?? 0 })
    : judgeWhole(answer, { length, expected });
  return isOtherSize(verdict, expected) ?? verdict;
}

// Before a byte of it goes out: the Manifests know better.
function isOtherSize(verdict: Verdict, { sizes }: Expected): Verdict | undefined {
  if (sizes === undefined || verdict.kind !== 'good') return undefined;
  const { length } = verdict.head;
  if (length === undefined || sizes.includes(length)) return undefined;
  const reason = `${length} bytes, where the Manifests have ${sizes.join(' or ')}`;
  return { kind: 'bad', reason, length };
}

// S3 says 403 for what it does not have, most mirrors do so for their listings: the file's fault,
// and a source must not be set aside by whoever asks for that file.
function judgeStatus(status: number, { offset }: Expected): Verdict {
  const reason = `status ${status}`;
  const wholeForPart = offset !== undefined && status === 200;
  if (wholeForPart) return { kind: 'unfit', reason: 'the whole where a part was asked for' };
  return status >= 400 && status < 500 && !SICK.has(status)
    ? { kind: 'unfit', reason }
    : bad(reason);
}

interface Whole {
  readonly length: number | undefined;
  readonly expected: Expected;
}

function judgeWhole(answer: AnswerHead, { length, expected }: Whole): Verdict {
  if (length === 0 && !expected.mutable) return bad('an empty body');
  const framing = length === undefined ? { framed: isChunked(answer) } : { framed: true, length };
  return { kind: 'good', from: 0, head: { ...metadata(answer), ...framing } };
}

interface Rest {
  /** Of the part. */
  readonly length: number | undefined;
  readonly offset: number;
}

// RFC 9110 section 15.3.7.1: the part is what Content-Range says, not what was asked for.
function judgeRange(answer: AnswerHead, { length, offset }: Rest): Verdict {
  const field = fieldValue(answer.fields, 'content-range') ?? '';
  const [, first, last, whole] = /^bytes (\d+)-(\d+)\/(\d+)$/i.exec(field) ?? [];
  const total = Number(whole);
  if (Number(first) !== offset || Number(last) !== total - 1 || !Number.isSafeInteger(total)) {
    return bad(`the range "${field}" where bytes from ${offset} to the end were asked for`);
  }
  if (length !== undefined && length !== total - offset) {
    return bad(`${length} bytes for the range "${field}"`);
  }
  return {
    kind: 'good',
    from: offset,
    head: { ...metadata(answer), framed: true, length: total },
  };
}

function metadata(answer: AnswerHead): Omit<OriginHead, 'framed' | 'length'> {
  const modified = parseHttpDate(fieldValue(answer.fields, 'last-modified') ?? '');
  const etag = fieldValue(answer.fields, 'etag');
  const type = fieldValue(answer.fields, 'content-type');
  return {
    // A date before the epoch cannot be a file's on every file system.
    ...(modified === undefined || modified < 0 ? {} : { lastModified: modified }),
    ...(etag === undefined ? {} : { etag }),
    ...(type === undefined ? {} : { type }),
  };
}

function isChunked(answer: AnswerHead): boolean {
  return fieldValue(answer.fields, 'transfer-encoding') !== undefined;
}

function parseLength(text: string): number {
  const length = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(length) ? length : Number.NaN;
}

// RFC 9112 section 7: chunked is the one transfer coding that needs no TE of ours.
function transferCoding(answer: AnswerHead): string | undefined {
  const coding = fieldValue(answer.fields, 'transfer-encoding');
  if (coding === undefined || coding.toLowerCase() === 'chunked') return undefined;
  return `transfer coding ${coding}`;
}

// Servers label a .gz file with the coding gzip; its bytes are the package all the same.
function contentCoding(answer: AnswerHead, path: string): string | undefined {
  const codings = listMembers(fieldValue(answer.fields, 'content-encoding') ?? '')
    .map((coding) => coding.toLowerCase())
    .filter((coding) => coding !== 'identity');
  const [only, ...more] = codings;
  const isOwn = /\.(gz|tgz)$/i.test(path) && /^(x-)?gzip$/.test(only ?? '') && more.length === 0;
  return only === undefined || isOwn ? undefined : `content coding ${codings.join(', ')}`;
}

function isHtml(type: string | undefined): boolean {
  return /^\s*(text\/html|application\/xhtml\+xml)\s*(;|$)/i.test(type ?? '');
}

function bad(reason: string): Verdict {
  return { kind: 'bad', reason };
}
