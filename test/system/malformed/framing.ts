import { get, good, type Hostile, stored } from './hostile.ts';

const last = '0\r\n\r\n';
const smuggled = 'GET /smuggled.tar.gz HTTP/1.1\r\nHost: cache\r\n\r\n';

function lengths(what: string, ...values: readonly string[]): Hostile {
  return [what, get(...values.map((value) => `Content-Length: ${value}`)) + smuggled, 400];
}

function codings(status: number, what: string, ...values: readonly string[]): Hostile {
  const fields = values.map((value) => `Transfer-Encoding: ${value}`);
  return [what, get(...fields) + last + smuggled, status];
}

function oneNought(...fields: readonly string[]): string {
  const lines = fields.map((field) => `${field}\r\n`).join('');
  return `GET ${stored} HTTP/1.0\r\nHost: cache\r\n${lines}\r\n`;
}

/** Where a body ends, said twice, wrongly or ambiguously (RFC 9112 sections 6.1 to 6.3). */
export const badFraming: readonly Hostile[] = [
  lengths('an empty Content-Length', ''),
  lengths('a negative Content-Length', '-1'),
  lengths('a Content-Length with a plus', '+5'),
  lengths('a Content-Length with a letter', '5a'),
  lengths('a Content-Length in hexadecimal', '0x5'),
  lengths('a Content-Length with a fraction', '5.0'),
  lengths('a Content-Length with an exponent', '5e0'),
  lengths('a Content-Length of two words', '5 5'),
  lengths('a Content-Length with a parameter', '5;a'),
  lengths('a Content-Length in quotes', '"5"'),
  lengths('a Content-Length in words', 'five'),
  lengths('a Content-Length of NUL', '\0'),
  lengths('a Content-Length of Arabic digits', '\xd9\xa5'),
  lengths('a Content-Length with an underscore', '5_0'),
  lengths('a Content-Length beyond 64 bits', '18446744073709551621'),
  lengths('a Content-Length of many digits', '9'.repeat(100)),
  lengths('Content-Length as a list', '0, 0'),
  lengths('Content-Length as a list of two', '5, 6'),
  lengths('Content-Length with an empty member', '5,'),
  lengths('Content-Length twice', '5', '6'),
  lengths('the same Content-Length twice', '0', '0'),
  [
    'Transfer-Encoding and Content-Length',
    get('Transfer-Encoding: chunked', 'Content-Length: 5') + last + smuggled,
    400,
  ],
  [
    'Content-Length and Transfer-Encoding',
    get('Content-Length: 5', 'Transfer-Encoding: chunked') + last + smuggled,
    400,
  ],
  [
    'Transfer-Encoding and no length at all',
    get('Transfer-Encoding: chunked', 'Content-Length: 0') + last + smuggled,
    400,
  ],
  [
    'Transfer-Encoding identity and Content-Length',
    get('Transfer-Encoding: identity', 'Content-Length: 5') + smuggled,
    400,
  ],
  ['Transfer-Encoding in HTTP/1.0', oneNought('Transfer-Encoding: chunked') + last + smuggled, 400],
  [
    'Transfer-Encoding in HTTP/1.0 that is kept alive',
    oneNought('Connection: keep-alive', 'Transfer-Encoding: chunked') + last + smuggled,
    400,
  ],
  [
    'both in HTTP/1.0',
    oneNought('Transfer-Encoding: chunked', 'Content-Length: 5') + last + smuggled,
    400,
  ],
  [
    'Content-Length twice in HTTP/1.0',
    oneNought('Content-Length: 5', 'Content-Length: 6') + smuggled,
    400,
  ],
  ...['Content-Length: 5', 'Transfer-Encoding: chunked'].map(
    (framing): Hostile => [
      `an upgrade and ${framing}`,
      `${get('Connection: Upgrade', 'Upgrade: h2c', framing)}hello${last}${smuggled}`,
      400,
    ],
  ),
  codings(400, 'an empty Transfer-Encoding', ''),
  ...[
    ['a folded Transfer-Encoding', 'Transfer-Encoding:\r\n chunked'],
    ['a Transfer-Encoding folded behind a coding', 'Transfer-Encoding: identity\r\n, chunked'],
    ['a Transfer-Encoding whose name is folded', 'Transfer-Encoding\r\n : chunked'],
    ['a Transfer-Encoding behind LF', 'X: x\nTransfer-Encoding: chunked'],
    ['a Transfer-Encoding behind CR', 'X: x\rTransfer-Encoding: chunked'],
    ['a Transfer-Encoding behind NUL', 'X: x\0Transfer-Encoding: chunked'],
    ['a Transfer-Encoding with a tab in front of its colon', 'Transfer-Encoding\t: chunked'],
    ['a Transfer-Encoding in front of which is a space', ' Transfer-Encoding: chunked'],
    ['a Content-Length with a form feed', 'Content-Length:\f5'],
    ['a folded Content-Length', 'Content-Length:\r\n 5'],
    ['a Content-Length of two lines and one value', 'Content-Length: 5\r\nContent-Length: 5'],
    ['a Content-Length in two spellings', 'Content-Length: 5\r\ncontent-LENGTH: 5'],
  ].map(
    ([what = '', field = '']): Hostile => [
      what,
      `GET ${stored} HTTP/1.1\r\nHost: cache\r\n${field}\r\n\r\n${last}${smuggled}`,
      400,
    ],
  ),
  codings(400, 'chunked twice', 'chunked', 'chunked'),
  codings(400, 'chunked twice in one line', 'chunked, chunked'),
  codings(400, 'chunked that is not the last', 'chunked, gzip'),
  codings(400, 'chunked and identity', 'chunked', 'identity'),
  codings(400, 'chunked and a comma', 'chunked,'),
  codings(400, 'chunked behind a vertical tab', '\vchunked'),
  codings(400, 'chunked with a NUL', 'chunked\0'),
  codings(501, 'identity', 'identity'),
  codings(501, 'gzip', 'gzip'),
  codings(501, 'gzip and chunked', 'gzip, chunked'),
  codings(501, 'identity and chunked', 'identity', 'chunked'),
  codings(501, 'a comma and chunked', ',chunked'),
  codings(501, 'chunked with a parameter', 'chunked;q=1'),
  codings(501, 'chunked in quotes', '"chunked"'),
  codings(501, 'a word that ends in chunked', 'xchunked'),
  codings(501, 'a word that begins with chunked', 'chunkedx'),
  codings(501, 'a coding nobody knows', 'cow'),
];

function chunks(what: string, body: string, status = 400): Hostile {
  return [what, get('Transfer-Encoding: chunked') + body + smuggled, status];
}

const rest = `\r\nhello\r\n${last}`;

/** Chunks that are none (RFC 9112 section 7.1). */
export const badChunks: readonly Hostile[] = [
  chunks('a negative chunk', `-5${rest}`),
  chunks('a chunk with a plus', `+5${rest}`),
  chunks('a chunk with 0x', `0x5${rest}`),
  chunks('a chunk of no number', `g${rest}`),
  chunks('a chunk of nothing', rest),
  chunks('a space in front of a chunk', ` 5${rest}`),
  chunks('a space behind a chunk', `5 ${rest}`),
  chunks('a tab behind a chunk', `5\t${rest}`),
  chunks('two sizes', `5 5${rest}`),
  chunks('a comma behind a chunk', `5,${rest}`),
  chunks('a NUL behind a chunk', `5\0${rest}`),
  chunks('a chunk beyond 64 bits', `10000000000000005${rest}`),
  chunks('a chunk of digits that are full-width', `\xef\xbc\x95${rest}`),
  chunks('a chunk with an underscore', `0_5${rest}`),
  chunks('an extension behind a space', `5 ;a${rest}`),
  chunks('an extension behind two semicolons and a space', `5;; a${rest}`),
  chunks('an extension without a name', `5;${rest}`),
  chunks('an extension with a NUL', `5;\0${rest}`),
  chunks('an extension with a control character', `5;a=b\x01${rest}`),
  chunks('an extension with a quote that stays open', `5;a="b${rest}`),
  chunks('an extension with LF', `5;a\nhello\r\n${last}`),
  chunks('an extension with CR', `5;a\rb${rest}`),
  chunks('an extension that hides a chunk behind LF', `2;\nxx\r\n${last}`),
  chunks('an extension that is too long', `5;${'a'.repeat(20_000)}${rest}`, 413),
  chunks('LF for CR LF', '5\nhello\n0\n\n'),
  chunks('LF behind a size', `5\nhello\r\n${last}`),
  chunks('LF behind the data', `5\r\nhello\n${last}`),
  chunks('CR for CR LF', '5\rhello\r0\r\r'),
  chunks('CR CR behind a size', `5\r\rhello\r\n${last}`),
  chunks('data longer than its size', `5\r\nhello!\r\n${last}`),
  chunks('data shorter than its size', `5\r\nhell\r\n${last}`),
  chunks('data without an end', `5\r\nhello${last}`),
  chunks('data behind the last chunk', '0\r\nhello\r\n\r\n'),
  chunks('a trailer without a colon', '0\r\nX\r\n\r\n'),
  chunks('a trailer with a space in front of its colon', '0\r\nX : a\r\n\r\n'),
  chunks('a trailer that is folded', '0\r\nX: a\r\n b\r\n\r\n'),
  chunks('a trailer with a NUL', '0\r\nX: \0\r\n\r\n'),
  chunks('a trailer that ends in LF', '0\r\nX: a\n\n'),
  chunks('Content-Length for a trailer', '0\r\nContent-Length: 5\r\n\r\n'),
  chunks('Transfer-Encoding for a trailer', '0\r\nTransfer-Encoding: chunked\r\n\r\n'),
  chunks('a trailer that is too long', `0\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431),
];

const limit = 64 * 1024;

/** Bodies that nobody wants to read to their end. */
export const bigBodies: readonly Hostile[] = [
  [
    'a body over the limit',
    get(`Content-Length: ${limit + 1}`) + 'a'.repeat(limit + 1) + good,
    413,
  ],
  ['a body over the limit that never comes', get(`Content-Length: ${limit + 1}`), 413],
  ['a gigabyte that is only announced', get('Content-Length: 1073741824'), 413],
  ['a length beyond what is exact', get('Content-Length: 9007199254740993'), 413],
  ['a length of 64 bits', get('Content-Length: 9223372036854775808'), 413],
  [
    'chunks over the limit',
    `${get('Transfer-Encoding: chunked')}11170\r\n${'a'.repeat(70_000)}`,
    413,
  ],
  [
    'many chunks over the limit',
    get('Transfer-Encoding: chunked') + `400\r\n${'a'.repeat(1024)}\r\n`.repeat(80),
    413,
  ],
  [
    'a chunk of 64 bits',
    `${get('Transfer-Encoding: chunked')}ffffffffffffffff\r\n${'a'.repeat(70_000)}`,
    413,
  ],
];
