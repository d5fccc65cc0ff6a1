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
  | { readonly kind: 'good'; readonly head: OriginHead }
  | { readonly kind: 'unchanged' }
  /** 404 or 410: an answer that costs no health. */
  | { readonly kind: 'missing'; readonly reason: string }
  | { readonly kind: 'bad'; readonly reason: string };

/** What one source said, for the client's error text, the log and `sources`. */
export interface Said {
  readonly source: SourceUrl;
  readonly reason: string;
}

/**
 * Decides whether an answer is the package. What is not — an error page with status 200, an empty
 * body, a coding of its own — counts against the source.
 */
export function judge(answer: AnswerHead, expected: Expected): Verdict {
  const { status } = answer;
  if (status === 404 || status === 410) return { kind: 'missing', reason: `status ${status}` };
  if (status === 304 && expected.conditional === true) return { kind: 'unchanged' };
  const wanted = expected.offset === undefined ? 200 : 206;
  if (status !== wanted) return bad(`status ${status}`);
  const coding = codingOf(answer, expected.path);
  if (coding !== undefined) return bad(`content coding ${coding}`);
  const type = fieldValue(answer.fields, 'content-type');
  if (isHtml(type) && expected.page !== true && !isHtmlName(expected.path)) {
    return bad('an HTML page, not a package');
  }
  return expected.offset === undefined
    ? judgeWhole(answer, expected)
    : judgeRange(answer, expected.offset);
}

function judgeWhole(answer: AnswerHead, expected: Expected): Verdict {
  const lengths = new Set(fieldLines(answer.fields, 'content-length'));
  if (lengths.size > 1) return bad('several lengths');
  const [text] = lengths;
  const length = text === undefined ? undefined : Number(text);
  if (length !== undefined && !Number.isSafeInteger(length)) return bad(`the length ${text}`);
  const chunked = isChunked(answer);
  if (length === 0 && !chunked && !expected.mutable) return bad('an empty body');
  return {
    kind: 'good',
    head: { ...metadata(answer), ...lengthOf(chunked ? undefined : length, chunked) },
  };
}

function lengthOf(length: number | undefined, chunked: boolean) {
  return length === undefined ? { framed: chunked } : { framed: true, length };
}

// RFC 9110 section 15.3.7.1: the part is what Content-Range says, not what was asked for.
function judgeRange(answer: AnswerHead, offset: number): Verdict {
  const field = fieldValue(answer.fields, 'content-range') ?? '';
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/i.exec(field) ?? [];
  const length = Number(total);
  if (Number(first) !== offset || Number(last) !== length - 1 || !Number.isSafeInteger(length)) {
    return bad(`the range "${field}" where bytes from ${offset} to the end were asked for`);
  }
  return { kind: 'good', head: { ...metadata(answer), framed: true, length } };
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
  const codings = listMembers(fieldValue(answer.fields, 'transfer-encoding') ?? '');
  return codings.at(-1)?.toLowerCase() === 'chunked';
}

// Servers label a .gz file with the coding gzip; its bytes are the package all the same.
function codingOf(answer: AnswerHead, path: string): string | undefined {
  const codings = listMembers(fieldValue(answer.fields, 'content-encoding') ?? '');
  const own = /\.(gz|tgz)$/i.test(path) ? ['identity', 'gzip', 'x-gzip'] : ['identity'];
  const applied = codings.filter((coding) => coding.toLowerCase() !== 'identity');
  if (applied.length > 1) return applied.join(', ');
  return applied.find((coding) => !own.includes(coding.toLowerCase()));
}

function isHtml(type: string | undefined): boolean {
  return /^\s*(text\/html|application\/xhtml\+xml)\s*(;|$)/i.test(type ?? '');
}

function bad(reason: string): Verdict {
  return { kind: 'bad', reason };
}
