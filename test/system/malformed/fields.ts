import { get, type Hostile, stored } from './hostile.ts';

function field(what: string, ...fields: readonly string[]): Hostile {
  return [what, get(...fields), 400];
}

function head(what: string, rest: string): Hostile {
  return [what, `GET ${stored} HTTP/1.1\r\n${rest}`, 400];
}

/** Field lines that are none (RFC 9112 section 5). */
export const badFields: readonly Hostile[] = [
  field('a line that is folded with a space', 'X: a', ' b'),
  field('a line that is folded with a tab', 'X: a', '\tb'),
  field('a folded line that is blank', 'X: a', '  '),
  field('an empty value that is folded', 'X:', ' b'),
  head('white space in front of the first field', ' X: a\r\nHost: cache\r\n\r\n'),
  head('white space in front of Host', ' Host: cache\r\n\r\n'),
  field('a space in front of the colon', 'X : a'),
  field('a tab in front of the colon', 'X\t: a'),
  field('a space behind Content-Length', 'Content-Length : 0'),
  field('a space behind Transfer-Encoding', 'Transfer-Encoding : chunked'),
  field('a line without a colon', 'X'),
  field('a line without a name', ': a'),
  field('a colon alone', ':'),
  field('a space in a name', 'X Y: a'),
  field('a NUL in a name', 'X\0: a'),
  field('a control character in a name', 'X\x01: a'),
  field('a DEL in a name', 'X\x7f: a'),
  field('a letter that is not ASCII in a name', 'X\xe4: a'),
  ...[...'()<>@,;\\"/[]?={}'].map((sign) =>
    field(`the delimiter ${sign} in a name`, `X${sign}: a`),
  ),
  field('a NUL in a value', 'X: a\0b'),
  field('a NUL at the end of a value', 'X: a\0'),
  field('a NUL alone', 'X: \0'),
  field('a control character in a value', 'X: a\x01b'),
  field('a bell in a value', 'X: \x07'),
  field('an escape sequence in a value', 'User-Agent: \x1b[31m'),
  field('a vertical tab in a value', 'X: a\vb'),
  field('a form feed in a value', 'X: a\fb'),
  field('a DEL in a value', 'X: a\x7f'),
  field('a CR in a value', 'X: a\rb'),
  field('a CR at the end of a value', 'X: a\r'),
  field('a CR that hides a field', 'X: a\rTransfer-Encoding: chunked'),
  field('an LF that hides a field', 'X: a\nTransfer-Encoding: chunked'),
  field('an LF that ends a line', 'X: a\nY: b'),
  head('a head that ends in LF', 'Host: cache\r\n\n'),
  head('a head that ends in LF LF', 'Host: cache\n\n'),
  head('a head that ends in CR CR', 'Host: cache\r\r'),
  head('CR CR between two fields', 'Host: cache\r\rX: b\r\n\r\n'),
  head('a CR alone in place of the end', 'Host: cache\r\n\rX'),
  head('LF CR for CR LF', 'Host: cache\n\rX: b\n\r\n\r'),
];

const long = 'a'.repeat(20_000);

/** Heads over 16 KiB, which is the most that is kept of one. */
export const overlongHeads: readonly Hostile[] = [
  ['a value that is too long', get(`X: ${long}`), 431],
  ['a name that is too long', get(`${long}: a`), 431],
  ['a Host that is too long', `GET ${stored} HTTP/1.1\r\nHost: ${long}\r\n\r\n`, 431],
  ['a head of many fields that is too long', get(...Array<string>(2000).fill('Accept: */*')), 431],
  ['a value that does not end', `GET ${stored} HTTP/1.1\r\nX: ${long}`, 431],
  ['a name that does not end', `GET ${stored} HTTP/1.1\r\n${long}`, 431],
  ['a megabyte of head', get(`X: ${'a'.repeat(1_000_000)}`), 431],
];
