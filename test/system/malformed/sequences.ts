import { get, good, type Hostile, line, stored } from './hostile.ts';

const twoHosts = `GET ${stored} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`;

/** What comes behind good requests is refused in its turn, and ends the connection. */
export const badSequels: readonly Hostile[] = [
  ['a good request and garbage', `${good}garbage\r\n\r\n`, 200, 400],
  ['a good request and NULs', `${good}\0\0\0\0`, 200, 400],
  ['a good request and a response', `${good}HTTP/1.1 200 OK\r\n\r\n`, 200, 400],
  ['a good request and a method nobody knows', good + line('BREW / HTTP/1.1'), 200, 405],
  ['a good request and another version', good + line('GET / HTTP/2.0'), 200, 505],
  ['a good request and an overlong head', good + get(`X: ${'a'.repeat(20_000)}`), 200, 431],
  ['a good request and two Hosts', good + twoHosts, 200, 400],
  [
    'a good request and a POST',
    `${good}${line('POST / HTTP/1.1\r\nContent-Length: 3')}abc${good}`,
    200,
    405,
  ],
  ['a good request and CONNECT', good + line('CONNECT a:1 HTTP/1.1') + good, 200, 403],
  [
    'a good request and a broken body',
    `${good}${get('Transfer-Encoding: chunked')}x\r\n`,
    200,
    400,
  ],
  ['a good request and a body too big', good + get('Content-Length: 100000'), 200, 413],
  ['three good requests and garbage', `${good.repeat(3)}garbage\r\n\r\n`, 200, 200, 200, 400],
  ['a 404 and garbage', `${line('GET /.package-cache/no HTTP/1.1')}garbage\r\n\r\n`, 404, 400],
  ['a body and garbage', `${get('Content-Length: 5')}hellogarbage\r\n\r\n`, 200, 400],
  ['chunks and garbage', `${get('Transfer-Encoding: chunked')}0\r\n\r\ngarbage\r\n\r\n`, 200, 400],
  ['two Hosts and a good request', twoHosts + good, 400],
  ['a POST and a good request', line('POST / HTTP/1.1') + good, 405],
  [
    'a POST with a body and a good request',
    `${line('POST / HTTP/1.1\r\nContent-Length: 3')}abc${good}`,
    405,
  ],
  [
    'a POST whose body looks like a request',
    line(`POST / HTTP/1.1\r\nContent-Length: ${good.length}`) + good,
    405,
  ],
  ['Connection: close and a good request', get('Connection: close') + good, 200],
  ['Connection: close and garbage', `${get('Connection: close')}garbage`, 200],
  ['HTTP/1.0 and a good request', `GET ${stored} HTTP/1.0\r\n\r\n${good}`, 200],
  ['HTTP/1.0 and garbage', `GET ${stored} HTTP/1.0\r\n\r\ngarbage`, 200],
  ['an upgrade and a good request', get('Connection: Upgrade', 'Upgrade: websocket') + good, 200],
  [
    'what is last, a request and an upgrade',
    `${get('Connection: close')}${good}${get('Connection: Upgrade', 'Upgrade: websocket')}`,
    200,
  ],
  [
    'a good request, a PUT, a good one and an upgrade',
    good + line('PUT / HTTP/1.1') + good + get('Connection: Upgrade', 'Upgrade: websocket'),
    200,
    405,
  ],
  [
    'a good request, a PUT, a good one and CONNECT',
    good + line('PUT / HTTP/1.1') + good + line('CONNECT a:1 HTTP/1.1') + good,
    200,
    405,
  ],
  ['an upgrade and frames', `${get('Connection: Upgrade', 'Upgrade: h2c')}\x82\x01a`, 200],
];

/** What is odd and yet no error: every request is answered, and the connection stays. */
export const oddButGood: readonly Hostile[] = [
  ['empty lines in front (RFC 9112 2.2)', `\r\n\r\n${good}`, 200],
  ['ten requests at once', good.repeat(10), ...Array<number>(10).fill(200)],
  ['a GET with a body and another', `${get('Content-Length: 5')}hello${good}`, 200, 200],
  [
    'a GET with the longest body and another',
    get('Content-Length: 65536') + 'a'.repeat(65_536) + good,
    200,
    200,
  ],
  [
    'a GET with chunks, extensions and trailers',
    `${get('Transfer-Encoding: chunked')}5;a=b\r\nhello\r\n0\r\nX: a\r\n\r\n${good}`,
    200,
    200,
  ],
  [
    'a chunk with noughts in front',
    `${get('Transfer-Encoding: chunked')}0000000000000005\r\nhello\r\n000\r\n\r\n${good}`,
    200,
    200,
  ],
  ['chunked in other letters', `${get('Transfer-Encoding: CHUNKED')}0\r\n\r\n${good}`, 200, 200],
  [
    'a body that looks like a request',
    get(`Content-Length: ${good.length}`) + good + good,
    200,
    200,
  ],
  ['a Content-Length of nought', get('Content-Length: 0') + good, 200, 200],
  ['a Content-Length with a nought in front', `${get('Content-Length: 05')}hello${good}`, 200, 200],
  [
    'HTTP/1.0 that is kept alive',
    `GET ${stored} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n${good}`,
    200,
    200,
  ],
  ['bytes beyond ASCII in a value', get('X: \xff\xe4'), 200],
  ['an empty value', get('X:'), 200],
  [
    'names with an underscore',
    get('Content_Length: 5', 'Transfer_Encoding: chunked') + good,
    200,
    200,
  ],
  [
    'fields with which others are led elsewhere',
    get(
      'X-Forwarded-Host: evil.example',
      'X-Original-URL: /other.tar.gz',
      'X-Rewrite-URL: /other.tar.gz',
      'X-HTTP-Method-Override: DELETE',
      'X-Forwarded-For: 8.8.8.8',
      'Forwarded: for=8.8.8.8;host=evil.example',
    ),
    200,
  ],
  ['three thousand fields', get(...Array<string>(3000).fill('a:')), 200],
  ['a head of fifteen thousand bytes', get(`X: ${'a'.repeat(15_000)}`), 200],
  [
    'an expectation whose body is there',
    `${get('Expect: 100-continue', 'Content-Length: 5')}hello${good}`,
    100,
    200,
    200,
  ],
  ['an expectation that is none', get('Expect: the-unexpected') + good, 200, 200],
  [
    'an expectation that is none, with a body',
    `${get('Expect: x', 'Content-Length: 5')}hello${good}`,
    200,
    200,
  ],
];

/** What is answered once and well; then the connection ends. */
export const lastButGood: readonly Hostile[] = [
  ['an expectation in HTTP/1.0', `GET ${stored} HTTP/1.0\r\nExpect: 100-continue\r\n\r\n`, 200],
  ['an expectation without a body', get('Expect: 100-continue'), 200],
  ['an upgrade', get('Connection: Upgrade', 'Upgrade: websocket'), 200],
  ['Connection: close', get('Connection: close'), 200],
  ['HTTP/1.0', `GET ${stored} HTTP/1.0\r\n\r\n`, 200],
];

/** A client that says no more is answered all the same (RFC 9112 section 9.6). */
export const halfClosed: readonly Hostile[] = [
  ['nothing', ''],
  ['empty lines', '\r\n\r\n'],
  ['a good request', good, 200],
  ['five good requests', good.repeat(5), 200, 200, 200, 200, 200],
  ['a good request in HTTP/1.0', `GET ${stored} HTTP/1.0\r\n\r\n`, 200],
  ['a bad target', line('GET /%zz HTTP/1.1'), 400],
  ['one letter', 'G', 400],
  ['a method', 'GET', 400],
  ['half a request line', 'GET /x.tar', 400],
  ['a request line', `GET ${stored} HTTP/1.1\r\n`, 400],
  ['half a field', `GET ${stored} HTTP/1.1\r\nHo`, 400],
  ['a head without its end', `GET ${stored} HTTP/1.1\r\nHost: cache\r\n`, 400],
  ['a head but for its last LF', `GET ${stored} HTTP/1.1\r\nHost: cache\r\n\r`, 400],
  ['a body that never came', get('Content-Length: 5'), 400],
  ['half a body', `${get('Content-Length: 5')}he`, 400],
  ['half a chunk', `${get('Transfer-Encoding: chunked')}5\r\nhe`, 400],
  ['chunks without the last one', `${get('Transfer-Encoding: chunked')}5\r\nhello\r\n`, 400],
  ['chunks without the end of the trailers', `${get('Transfer-Encoding: chunked')}0\r\n`, 400],
  [
    'half a body behind an upgrade',
    `${get('Connection: Upgrade', 'Upgrade: h2c', 'Content-Length: 5')}he`,
    400,
  ],
  ['an expectation and no body', get('Expect: 100-continue', 'Content-Length: 5'), 100, 400],
  ['garbage', 'garbage', 400],
];

/** Clients that took us for something else. */
export const otherProtocols: readonly Hostile[] = [
  ['a TLS hello', Buffer.concat([hex('1603010200010001fc0303'), Buffer.alloc(505, 7)]), 400],
  ['the first bytes of a TLS hello', hex('1603010200'), 400],
  ['an SSLv2 hello', hex('802e0100020015000000100100'), 400],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 400],
  ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n', 400],
  ['SOCKS 5', hex('050100'), 400],
  ['SOCKS 4', hex('0401005001020304'), 400],
  ['the PROXY protocol', `PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n${good}`, 400],
  [
    'the binary PROXY protocol',
    Buffer.concat([hex('0d0a0d0a000d0a515549540a2111000c'), Buffer.alloc(12), Buffer.from(good)]),
    400,
  ],
  ['SMTP', 'EHLO x\r\n', 400],
  ['FTP commands', 'USER anonymous\r\n', 400],
  ['rsync', '@RSYNCD: 31.0\n', 400],
  ['git', '0033git-upload-pack /x.git\0host=cache\0', 400],
  ['redis', '*1\r\n$4\r\nPING\r\n', 400],
  ['RDP', hex('030000130ee000000000000100080003000000'), 400],
  ['a hundred NULs', Buffer.alloc(100), 400],
  ['a hundred bytes of 255', Buffer.alloc(100, 255), 400],
];

function hex(digits: string): Buffer {
  return Buffer.from(digits, 'hex');
}
