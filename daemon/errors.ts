/** What went wrong, as a closed list: callers decide by code, never by message text. */
export type ErrorCode =
  | 'usage'
  | 'config'
  | 'in-use'
  | 'storage'
  | 'bad-request'
  | 'version'
  | 'forbidden'
  | 'not-found'
  | 'method'
  | 'too-large'
  | 'not-implemented'
  | 'loop'
  | 'not-stored'
  | 'source'
  | 'busy'
  | 'no-room'
  | 'cancelled'
  | 'bug';

/** The HTTP status (RFC 9110 section 15) that tells a client of each code. */
export const httpStatus: Readonly<Record<ErrorCode, number>> = {
  usage: 500,
  bug: 500,
  config: 500,
  'in-use': 500,
  storage: 500,
  'bad-request': 400,
  forbidden: 403,
  'not-found': 404,
  method: 405,
  'too-large': 413,
  'not-implemented': 501,
  source: 502,
  busy: 503,
  'no-room': 503,
  // RFC 9111 section 5.2.1.7: only-if-cached without a stored response.
  'not-stored': 504,
  version: 505,
  // RFC 5842 section 7.2.
  loop: 508,
  cancelled: 503,
};

/** One failure: `Cannot <verb> "<thing>": <reason>`. */
export interface Failure {
  /** What was attempted, such as `open` or `parse size`. */
  readonly verb: string;
  /** The file, key, address or argument it was attempted on. */
  readonly thing: string;
  /** Why not, without a full stop; it may end in the way out. */
  readonly reason: string;
  readonly cause?: unknown;
  /** What Cache-Status says of it where the code says too little: `min-free`. */
  readonly detail?: string;
}

/** The one error class of the project. */
export class CacheError extends Error {
  override readonly name = 'CacheError';
  readonly code: ErrorCode;
  /** The failure's reason alone, for reports that already name the thing. */
  readonly reason: string;
  readonly detail: string | undefined;

  constructor(code: ErrorCode, { verb, thing, reason, cause, detail }: Failure) {
    super(`Cannot ${verb} "${printable(thing)}": ${reason}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.reason = reason;
    this.detail = detail;
  }
}

/** The same text with control characters escaped, so that no name can forge a log line. */
export function printable(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The errno name (`ENOSPC`, `ECONNREFUSED`, …) of an operating-system error, if it is one. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** One sentence for any thrown value, with the innermost cause that says more than its wrapper. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message === '' ? (errnoOf(error) ?? error.name) : error.message;
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  if (error instanceof CacheError || error.cause === undefined) return own;
  const inner = describe(error.cause);
  return own.includes(inner) ? own : `${own}: ${inner}`;
}
