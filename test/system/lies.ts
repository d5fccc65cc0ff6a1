import { gzipSync } from 'node:zlib';
import { type Answer, bodyOf } from '../helpers/origin.ts';

/** What has to come of an answer: an error, a broken body, or the exact bytes, stored or not. */
export type Outcome = 'refused' | 'missing' | 'broken' | 'exact' | 'streamed';

/** An answer that is not what a package looks like. */
export interface Lie {
  readonly what: string;
  readonly answer: Answer;
  readonly outcome: Outcome;
  /** What the client is told. */
  readonly reason?: RegExp;
  readonly name?: string;
}

/** The package that every lie is about. */
export const truth = bodyOf('truth', 100_000);
const page = '<html><title>Sign in to the Wi-Fi</title></html>';

const html: readonly Lie[] = [
  ['text/html', 'text/html'],
  ['text/html with a charset', 'text/html; charset=utf-8'],
  ['HTML in capitals', 'TEXT/HTML'],
  ['XHTML', 'application/xhtml+xml'],
].map(([what = '', type = '']) => ({
  what: `a page of ${what}`,
  answer: { body: page, fields: [['Content-Type', type]] },
  outcome: 'refused',
  reason: /HTML page/,
}));

const disguised: readonly Lie[] = [
  ['as a stream of octets', page, 'application/octet-stream'],
  ['in capitals after a line feed', `\n<!DOCTYPE HTML>${page}`, 'text/plain'],
  ['after a byte order mark', `\ufeff${page}`, 'application/x-xz'],
].map(([what, body = '', type = '']) => ({
  what: `a page of HTML ${what}`,
  answer: { body, fields: [['Content-Type', type]] },
  outcome: 'refused',
  reason: /HTML page/,
}));

const nothing: readonly Lie[] = (['honest', 'chunked', 'none'] as const).map((length) => ({
  what: `an empty body (${length} length)`,
  answer: { body: '', length },
  outcome: 'refused',
  reason: /empty body/,
}));

const wrongStatuses = [
  201, 202, 203, 204, 205, 206, 207, 226, 300, 301, 302, 303, 304, 305, 307, 308, 400, 401, 402,
  403, 405, 406, 408, 409, 411, 412, 413, 414, 416, 418, 421, 425, 426, 428, 429, 431, 451, 500,
  501, 502, 503, 504, 505, 507, 508, 511, 599, 999,
];

const statuses: readonly Lie[] = wrongStatuses.map((status) => ({
  what: `status ${status} with the package as its body`,
  answer: { status, body: truth },
  outcome: 'refused',
  // Where the body contradicts the status, the parser may speak first.
  reason: [204, 304].includes(status) ? /./ : new RegExp(`status ${status}`),
}));

const gone: readonly Lie[] = [404, 410].map((status) => ({
  what: `status ${status}`,
  answer: { status, body: page },
  outcome: 'missing',
  reason: new RegExp(`status ${status}`),
}));

const codings: readonly Lie[] = [
  ...['gzip', 'br', 'deflate', 'zstd', 'x-unknown', 'gzip, gzip', 'identity, br'].map(
    (encoding): Lie => ({
      what: `the content coding ${encoding}`,
      answer: { body: gzipSync(truth), encoding },
      outcome: 'refused',
      reason: /content coding/,
    }),
  ),
  ...['br', 'gzip, gzip', 'gzip, br'].map(
    (encoding): Lie => ({
      what: `the content coding ${encoding} of a .gz`,
      answer: { body: gzipSync(truth), encoding },
      outcome: 'refused',
      reason: /content coding/,
      name: 'x.tar.gz',
    }),
  ),
  ...['gzip, chunked', 'gzip', 'chunked, chunked', 'chunked, identity'].map(
    (coding): Lie => ({
      what: `the transfer coding ${coding}`,
      answer: { raw: `HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\n\r\n1\r\nx\r\n0\r\n\r\n` },
      outcome: 'refused',
    }),
  ),
  ...['x.tar.gz', 'x.tgz', 'x.TAR.GZ'].map(
    (name): Lie => ({
      what: `the content coding gzip on ${name}, which is a label and no coding`,
      answer: { body: truth, encoding: 'gzip' },
      outcome: 'exact',
      name,
    }),
  ),
  { what: 'the coding identity', answer: { body: truth, encoding: 'identity' }, outcome: 'exact' },
];

const lengths: readonly Lie[] = [
  ...[
    '-5',
    '+5',
    '0x5',
    '5e0',
    '5.0',
    '',
    'five',
    '5 5',
    '5, 6',
    '5;6',
    '18446744073709551617',
  ].map(
    (length): Lie => ({
      what: `the length "${length}"`,
      answer: { raw: `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\nhello` },
      outcome: 'refused',
    }),
  ),
  {
    what: 'two lengths',
    answer: { raw: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!' },
    outcome: 'refused',
  },
  {
    what: 'a length and chunks',
    answer: {
      raw: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    },
    outcome: 'refused',
  },
  {
    what: 'a body that is shorter than its length',
    answer: { body: truth, length: truth.length + 7 },
    outcome: 'broken',
  },
  {
    what: 'a length without a byte of body',
    answer: { raw: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n' },
    outcome: 'broken',
  },
];

/** Everything a source may say that is framed as HTTP should be. */
export const framedLies: readonly Lie[] = [
  ...html,
  ...disguised,
  ...nothing,
  ...statuses,
  ...gone,
  ...codings,
  ...lengths,
];
