import test from 'ava';
import fc from 'fast-check';
import { type Multipart, multipart } from '../../daemon/http/multipart.ts';

const type = 'application/pdf';
const boundary = 'THISSTRINGSEPARATES';
const ranges = [
  { start: 500, end: 1000 },
  { start: 7000, end: 8000 },
];

test('the field names the type and the boundary, unquoted and last (RFC 9110 14.6)', (t) => {
  t.is(
    multipart({ ranges, length: 8000, type, boundary }).contentType,
    'multipart/byteranges; boundary=THISSTRINGSEPARATES',
  );
});

test('each part has a delimiter, a Content-Type and a Content-Range (RFC 9110 14.6)', (t) => {
  const { parts, tail } = multipart({ ranges, length: 8000, type, boundary });
  t.deepEqual(parts, [
    {
      head: '\r\n--THISSTRINGSEPARATES\r\nContent-Type: application/pdf\r\nContent-Range: bytes 500-999/8000\r\n\r\n',
      range: { start: 500, end: 1000 },
    },
    {
      head: '\r\n--THISSTRINGSEPARATES\r\nContent-Type: application/pdf\r\nContent-Range: bytes 7000-7999/8000\r\n\r\n',
      range: { start: 7000, end: 8000 },
    },
  ]);
  t.is(tail, '\r\n--THISSTRINGSEPARATES--\r\n');
});

test('the content length counts heads, ranges and tail (RFC 9110 8.6)', (t) => {
  t.is(
    multipart({ ranges, length: 8000, type, boundary }).contentLength,
    93 + 500 + 95 + 1000 + 27,
  );
});

for (const [what, odd] of [
  ['that is not ASCII', 'text/plain; charset="ü"'],
  ['with a line break in it', 'text/plain\r\nSet-Cookie: a'],
  ['that is empty', ''],
] as const) {
  test(`a type ${what} is sent as plain bytes in a part (RFC 9110 8.3)`, (t) => {
    const [part] = multipart({ ranges, length: 8000, type: odd, boundary }).parts;
    t.regex(part?.head ?? '', /\r\nContent-Type: application\/octet-stream\r\n/);
  });
}

test('what is announced is sent, and a reader gets back its ranges (RFC 9110 14.6)', (t) => {
  const cut = fc.uniqueArray(fc.nat(300), { minLength: 4, maxLength: 20 }).map((positions) => {
    const edges = positions.slice(positions.length % 2).sort((one, other) => one - other);
    return edges.flatMap((start, at) => (at % 2 === 0 ? [{ start, end: edges[at + 1] ?? 0 }] : []));
  });
  const types = fc.constantFrom(type, 'text/plain; charset=utf-8', 'ü');
  t.notThrows(() =>
    fc.assert(
      fc.property(cut, types, (wanted, partType) => {
        const announced = multipart({ ranges: wanted, length: 300, type: partType, boundary });
        const body = sent(announced);
        t.is(body.length, announced.contentLength);
        t.deepEqual(read(body, announced.contentType), wanted.map(bytesOf));
      }),
    ),
  );
});

const file = Buffer.from(Array.from({ length: 301 }, (_, index) => index % 251));

function bytesOf({ start, end }: { start: number; end: number }): [string, Buffer] {
  return [`bytes ${start}-${end - 1}/300`, file.subarray(start, end)];
}

function sent({ parts, tail }: Multipart): Buffer {
  const chunks = parts.flatMap(({ head, range }) => [Buffer.from(head), bytesOf(range)[1]]);
  return Buffer.concat([...chunks, Buffer.from(tail)]);
}

// Reads by delimiters alone, as RFC 2046 section 5.1.1 has it; the file does not contain any.
function read(body: Buffer, contentType: string): [string, Buffer][] {
  const delimiter = `\r\n--${/boundary=(\w+)$/.exec(contentType)?.[1]}`;
  const [preamble, ...sections] = body.toString('latin1').split(delimiter);
  if (preamble !== '' || sections.pop() !== '--\r\n') throw new Error('Not a multipart body');
  return sections.map((section) => {
    const end = section.indexOf('\r\n\r\n');
    const range = /\r\nContent-Range: ([^\r]*)$/.exec(section.slice(0, end))?.[1];
    return [range ?? '', Buffer.from(section.slice(end + 4), 'latin1')];
  });
}
