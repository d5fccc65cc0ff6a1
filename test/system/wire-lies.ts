import type { Answer } from '../helpers/origin.ts';
import { type Lie, truth } from './lies.ts';

const chunkedHead = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const good = `Content-Length: 5\r\n\r\nhello`;

const cuts: readonly Lie[] = [
  ['chunks without the last one', { body: truth, dropChunkEnd: true }],
  ['chunks cut in one of them', { raw: `${chunkedHead}5\r\nhel` }],
  ['chunks cut behind one of them', { raw: `${chunkedHead}5\r\nhello\r\n` }],
  ['chunks cut in a size', { raw: `${chunkedHead}5\r\nhello\r\n1` }],
  ['a last chunk that is cut', { raw: `${chunkedHead}5\r\nhello\r\n0\r\n` }],
  ['a trailer that is cut', { raw: `${chunkedHead}5\r\nhello\r\n0\r\nDigest: x\r\n` }],
  ['a chunk size that is none', { raw: `${chunkedHead}5\r\nhello\r\nxyz\r\n` }],
  ['a negative chunk size', { raw: `${chunkedHead}5\r\nhello\r\n-5\r\nhello\r\n0\r\n\r\n` }],
  ['a chunk longer than its size', { raw: `${chunkedHead}4\r\nhello\r\n0\r\n\r\n` }],
  ['a chunk shorter than its size', { raw: `${chunkedHead}6\r\nhello\r\n0\r\n\r\n` }],
  ['a chunk size beyond 2^64', { raw: `${chunkedHead}5\r\nhello\r\nfffffffffffffffff\r\n` }],
  ['chunks behind chunks of garbage', { raw: `${chunkedHead}5\r\nhello\r\n\0\0\0\0\r\n` }],
  [
    'a reset where only the end of the connection ends',
    { body: truth, length: 'none', resetAfter: 50_000 },
  ],
].map(([what, answer]) => ({ what: String(what), answer: answer as Answer, outcome: 'broken' }));

const heads: readonly Lie[] = [
  ['nothing at all', ''],
  ['one byte', 'H'],
  ['a line feed', '\n'],
  ['a status line that is cut', 'HTTP/1.1 200'],
  ['a head that is cut', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n'],
  ['a head that is cut in a name', 'HTTP/1.1 200 OK\r\nConte'],
  ['HTTP/0.9: a body without a head', truth],
  ['HTML without a head', '<html><body>hello</body></html>'],
  ['the greeting of SSH', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ['the greeting of SMTP', '220 mail ESMTP\r\n'],
  ['a TLS alert', '\x15\x03\x01\x00\x02\x02\x28'],
  ['zeros', '\0'.repeat(1000)],
  ['a status line without a status', `HTTP/1.1\r\n${good}`],
  ['a status that is no number', `HTTP/1.1 abc OK\r\n${good}`],
  ['a status of two digits', `HTTP/1.1 20 OK\r\n${good}`],
  ['a status of four digits', `HTTP/1.1 2000 OK\r\n${good}`],
  ['HTTP/2 spoken in HTTP/1 letters', `HTTP/2 200 OK\r\n${good}`],
  ['HTTP/3.0', `HTTP/3.0 200 OK\r\n${good}`],
  ['a protocol of its own', `ICY 200 OK\r\n${good}`],
  ['a lower-case protocol', `http/1.1 200 OK\r\n${good}`],
  ['a field without a colon', `HTTP/1.1 200 OK\r\nnonsense\r\n${good}`],
  ['a field without a name', `HTTP/1.1 200 OK\r\n: x\r\n${good}`],
  ['a space in a name', `HTTP/1.1 200 OK\r\nX Y: z\r\n${good}`],
  ['a space before a colon', `HTTP/1.1 200 OK\r\nServer : x\r\n${good}`],
  ['a NUL in a value', `HTTP/1.1 200 OK\r\nServer: a\0b\r\n${good}`],
  ['a head over 16 K', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(40_000)}\r\n${good}`],
  ['two thousand fields', `HTTP/1.1 200 OK\r\n${'X-Field: 12345678\r\n'.repeat(2000)}${good}`],
  ['101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nhello'],
  ['100 and then the end', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ['100 and then garbage', 'HTTP/1.1 100 Continue\r\n\r\nhello'],
  ['103 and then the end', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
].map(([what, raw]) => ({ what: String(what), answer: { raw: raw ?? '' }, outcome: 'refused' }));

const harmless: readonly Lie[] = [
  {
    what: 'chunk extensions and trailer fields',
    answer: {
      raw: Buffer.concat([chunk(';name="value"'), Buffer.from('0;last\r\nDigest: x\r\n\r\n')]),
    },
    outcome: 'exact',
  },
  {
    what: 'chunks of odd sizes',
    answer: { body: truth, length: 'chunked', chunks: { size: 7777 } },
    outcome: 'exact',
  },
  {
    what: 'a body that the end of the connection ends',
    answer: { body: truth, length: 'none' },
    outcome: 'streamed',
  },
  {
    what: 'HTTP/1.0',
    answer: {
      raw: Buffer.concat([
        Buffer.from(`HTTP/1.0 200 OK\r\nContent-Length: ${truth.length}\r\n\r\n`),
        truth,
      ]),
    },
    outcome: 'exact',
  },
  {
    what: 'HTTP/1.0 without a length',
    answer: { raw: Buffer.concat([Buffer.from('HTTP/1.0 200 OK\r\n\r\n'), truth]) },
    outcome: 'streamed',
  },
  {
    what: 'a status without a reason',
    answer: {
      raw: Buffer.concat([
        Buffer.from(`HTTP/1.1 200 \r\nContent-Length: ${truth.length}\r\n\r\n`),
        truth,
      ]),
    },
    outcome: 'exact',
  },
];

function chunk(extension: string): Buffer {
  const head = `${chunkedHead}${truth.length.toString(16)}${extension}\r\n`;
  return Buffer.concat([Buffer.from(head), truth, Buffer.from('\r\n')]);
}

/** Everything a source may say that breaks off, or is no HTTP, or only looks like that. */
export const wireLies: readonly Lie[] = [...cuts, ...heads, ...harmless];
