import { mutate, words } from '../mutate.ts';
import type { Random } from '../random.ts';

/** What a client sends, as one connection takes it: bytes in latin1, in pieces. */
export type Sent = readonly string[];

/** How many packages there are to ask for. */
export const POOL = 16;

/** The target of a package that is stored. */
export function stored(number: number): string {
  return `/p/${number}.tar.gz`;
}

// Not PRI: Node breaks a connection on which somebody may mean HTTP/2, whatever is still to come.
const methods = words('POST PUT DELETE OPTIONS TRACE CONNECT PATCH BREW get Get G GETT M-SEARCH');
const versions = words(
  'HTTP/1.0 HTTP/1.0 HTTP/1.0 HTTP/0.9 HTTP/1.2 HTTP/2.0 HTTP/1 http/1.1 HTTP/1.1.1',
);

const targets = [
  ...words(
    '/ * /none /none/ /none?q /?q=1 /p/ /p/0.tar.gz/ /p/../p/0.tar.gz /%70/0.tar.gz /p//0.tar.gz',
  ),
  ...words(
    '/./p/0.tar.gz /%2e%2e/p/0.tar.gz /p%2f0.tar.gz /p/%00 /p/%c0%ae /%252e /p/0.tar.gz#x //p/x',
  ),
  ...words(
    '/.package-cache/id /.package-cache/health /.package-cache/../p/0.tar.gz /%2epackage-cache/',
  ),
  ...words(
    'http://evil.example/x http://cache/p/1.tar.gz http://127.0.0.1/ http://u:p@127.0.0.1/x',
  ),
  ...words(
    'https://evil.example:443 ftp://a/b file:///etc/passwd http:// http:///x x p/0.tar.gz ../x',
  ),
];

const fields = [
  ...words(
    'Accept:*/* X: Range:bytes=0-1 Range:bytes=-2 Range:bytes=0-0,4-5 Range:bytes=99- Range:x',
  ),
  ...words(
    'If-None-Match:* If-Match:"x" If-Range:"x" Connection:close Connection:keep-alive Cookie:a=b',
  ),
  ...words(
    'Connection:x,close Connection:closed Keep-Alive:5 TE:trailers Trailer:X Authorization:x',
  ),
  ...words(
    'Cache-Control:no-cache Cache-Control:only-if-cached Upgrade:websocket Upgrade:h2c Via:x',
  ),
  ...words('Expect:100-continue Expect:x Content-Type:a/b Content-Encoding:gzip Forwarded:for=1'),
  ...words(
    'X-Forwarded-Host:evil.example Proxy-Connection:close Max-Forwards:0 Front-End-Https:on',
  ),
  'Connection: Upgrade',
  'User-Agent: \xe4 (a "b")',
  'X: a, b; c="d"',
  `X:${' '.repeat(40)}y`,
];

/** Fields that have to do with where a message ends, or seem to. */
const framings = [
  ...words(
    'Content-Length:0 Content-Length:3 Content-Length:40 Content-Length:65536 Content-Length:',
  ),
  ...words(
    'Content-Length:65537 Content-Length:-1 Content-Length:+3 Content-Length:3,3 Content-Length:0x3',
  ),
  ...words(
    'Content-Length:18446744073709551619 Content-Length:3.0 Content-Length:03 content-length:3',
  ),
  ...words('Transfer-Encoding:chunked Transfer-Encoding:identity Transfer-Encoding:gzip,chunked'),
  ...words(
    'Transfer-Encoding:chunked,chunked Transfer-Encoding:xchunked Transfer-Encoding:,chunked',
  ),
  ...words(
    'transfer-encoding:CHUNKED Transfer-Encoding: Transfer_Encoding:chunked Content_Length:3',
  ),
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding: \tchunked ',
  'Transfer-Encoding:\vchunked',
  'Transfer-Encoding: chunked\r\n x',
  'X: y\rTransfer-Encoding: chunked',
  'X: y\nTransfer-Encoding: chunked',
  'X: y\0Content-Length: 3',
  ' Content-Length: 3',
  'Content-Length: 3 ',
  'Content-Length: 3 3',
  'Content-Length\t: 3',
];

const hosts = words(
  'Host:cache Host:cache Host:cache Host:evil.example Host: Host:a/b Host:u@cache Host:[::1]:1 Host:mirror.example',
);

const pieces = [
  ...words(
    'GET HEAD / : ; , = " 0 3 f 00 5;a=b ;a="b\\"c" chunked HTTP/1.1 Host: Content-Length: % # @',
  ),
  ...[
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\r',
    '\n\n',
    '\r\r\n',
    ' ',
    '\t',
    '\0',
    '\x7f',
    '\xff',
    '\v',
    '\\',
  ],
  ...[
    '0\r\n\r\n',
    '3\r\nabc\r\n',
    '\r\n ',
    'X: y\r\n',
    ' HTTP/1.0\r\n',
    'Transfer-Encoding: chunked\r\n',
  ],
  `GET ${stored(15)} HTTP/1.1\r\nHost: cache\r\n\r\n`,
];

/**
 * A connection's worth: good requests, bad ones, and what some would take for either. `source` is
 * the host and port of a configured one.
 */
export function makeSent(random: Random, source: string): Sent {
  const requests = random
    .several(1, 4, () => makeRequest(random))
    .join('')
    .replaceAll('mirror.example', source);
  const bytes = random.oneIn(3)
    ? mutate(requests, random, { corpus: [requests], pieces })
    : requests;
  return inPieces(bytes, random);
}

function inPieces(text: string, random: Random): Sent {
  // Another case of a letter may lie beyond latin1.
  const bytes = text.replace(/[^\0-\xff]/g, '?');
  if (random.oneIn(2)) return [bytes];
  const [one, other] = [random.below(bytes.length + 1), random.below(bytes.length + 1)];
  const [first, second] = [Math.min(one, other), Math.max(one, other)];
  return [bytes.slice(0, first), bytes.slice(first, second), bytes.slice(second)];
}

function makeRequest(random: Random): string {
  const method = random.oneIn(8) ? random.pick(methods) : random.oneIn(8) ? 'HEAD' : 'GET';
  const version = random.oneIn(10) ? random.pick(versions) : 'HTTP/1.1';
  const space = random.oneIn(60) ? random.pick(['  ', '\t', '']) : ' ';
  const lines = [`${method}${space}${makeTarget(random)} ${version}`, ...makeFields(random)];
  const body = makeBody(random);
  const framed = [...lines, ...body.fields].map(spelled(random));
  return `${framed.join(newline(random))}${newline(random)}${newline(random)}${body.bytes}`;
}

function newline(random: Random): string {
  return random.oneIn(150) ? random.pick(['\n', '\r', '\r\r\n', '\n\r', '\r\n\r\n']) : '\r\n';
}

// White space around a value is optional, and names have no case.
function spelled(random: Random): (line: string) => string {
  return (line) => {
    if (random.oneIn(2)) return line.replace(/^([A-Za-z-]+):/, '$1: ');
    return random.oneIn(4) ? line.replace(/^[A-Za-z-]+:/, (name) => name.toLowerCase()) : line;
  };
}

function makeTarget(random: Random): string {
  return random.oneIn(3) ? random.pick(targets) : stored(random.below(POOL));
}

function makeFields(random: Random): readonly string[] {
  const host = random.oneIn(25) ? random.several(0, 2, () => random.pick(hosts)) : ['Host: cache'];
  const others = random.several(0, random.oneIn(2) ? 0 : 3, () => random.pick(fields));
  return random.oneIn(2) ? [...host, ...others] : [...others, ...host];
}

interface Body {
  readonly fields: readonly string[];
  readonly bytes: string;
}

function makeBody(random: Random): Body {
  if (random.oneIn(2)) return { fields: [], bytes: '' };
  const bytes = makeContent(random);
  switch (random.below(5)) {
    case 0:
      return { fields: [`Content-Length: ${bytes.length}`], bytes };
    case 1:
      return { fields: ['Transfer-Encoding: chunked'], bytes: chunked(bytes, random) };
    case 2:
      // One that is longer or shorter than it says.
      return { fields: [`Content-Length: ${random.below(80)}`], bytes };
    default: {
      const framed = random.several(0, 2, () => random.pick(framings));
      return { fields: framed, bytes: random.oneIn(2) ? chunked(bytes, random) : bytes };
    }
  }
}

// What looks like a request is what an attacker would have somebody take for one.
function makeContent(random: Random): string {
  const smuggled = `GET ${stored(random.below(POOL))} HTTP/1.1\r\nHost: cache\r\n\r\n`;
  return random.pick(['', 'abc', smuggled, `abc${smuggled}`, `0\r\n\r\n${smuggled}`, '\r\n']);
}

function chunked(bytes: string, random: Random): string {
  const extension = random.oneIn(6)
    ? random.pick([';a', ';a=b', ';a="b;c"', '; a', ' ', ';', ';a='])
    : '';
  const size = random.oneIn(8) ? `00${bytes.length.toString(16)}` : bytes.length.toString(16);
  const chunk = bytes === '' ? '' : `${size}${extension}\r\n${bytes}\r\n`;
  const end = random.oneIn(12)
    ? random.pick(['\r\n', '0\n\n', '0\r\n', '-1\r\n\r\n', '0x0\r\n\r\n'])
    : '0\r\n';
  const trailer = random.oneIn(8)
    ? random.pick(['X: y\r\n', 'Content-Length: 9\r\n', 'X : y\r\n', 'Host: b\r\n', ' x\r\n'])
    : '';
  return `${chunk}${end}${trailer}\r\n`;
}
