import type { Socket } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { hideInterim } from '../../daemon/origin/interim.ts';

const head = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n';
const plain = 'HTTP/1.1 100 Continue\r\n\r\n';

/** Reads all there is after each piece of the stream arrives, as undici does. */
function readThrough(pieces: readonly string[], { asked = true } = {}): string {
  const arrived: Buffer[] = [];
  const socket = { read: () => arrived.shift() ?? null, write: () => true } as unknown as Socket;
  hideInterim(socket);
  if (asked) socket.write('GET / HTTP/1.1\r\n\r\n');
  let seen = '';
  for (const piece of pieces) {
    arrived.push(Buffer.from(piece, 'latin1'));
    for (let read = socket.read(); read !== null; read = socket.read()) {
      seen += read.toString('latin1');
    }
  }
  return seen;
}

function cut(text: string, places: readonly number[]): string[] {
  const at = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [...at, text.length].map((end, index) => text.slice(at[index - 1] ?? 0, end));
}

const interims = fc.constantFrom(
  plain,
  'HTTP/1.0 100 Continue\r\n\r\n',
  'HTTP/1.1 100\r\n\r\n',
  'HTTP/1.1 100 \r\n\r\n',
  'HTTP/1.1 100 Continue\r\nX-Waited: 5\r\nServer: x\r\n\r\n',
  `HTTP/1.1 100 ${'long '.repeat(100)}\r\n\r\n`,
  'HTTP/1.1 102 Processing\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n',
  'HTTP/1.1 110 Unknown\r\n\r\n',
);
const bodies = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 40 }),
  fc.constantFrom(plain, `${plain}${plain}`, `abc${plain}`, 'HTTP/1.1 100'),
);

test('interim answers are hidden however many come and however they are split', (t) => {
  fc.assert(
    fc.property(
      fc.array(interims, { maxLength: 4 }),
      bodies,
      fc.array(fc.nat(2000), { maxLength: 12 }),
      (interim, body, places) => {
        const wire = interim.join('') + head + body;
        t.is(readThrough(cut(wire, places)), head + body);
      },
    ),
  );
});

test('100 Continue is hidden when it comes byte by byte', (t) => {
  t.is(readThrough([...(plain + plain + head)]), head);
});

test('no byte of what nobody asked for is touched', (t) => {
  t.is(readThrough([plain, head], { asked: false }), plain + head);
});

const others = [
  'HTTP/1.1 101 Switching Protocols\r\n\r\n',
  'HTTP/1.1 1000 Continue\r\n\r\n',
  'HTTP/1.1 100X\r\n\r\n',
  'HTTP/1.1 100 Continue\n\n',
  'HTTP/2 100 Continue\r\n\r\n',
  'ICY 200 OK\r\n\r\n',
  `HTTP/1.1 100 Continue\r\n${'X: y\r\n'.repeat(3000)}`,
  '\0'.repeat(20_000),
];

for (const other of others) {
  test(`${JSON.stringify(other.slice(0, 30))} is left to the parser at once`, (t) => {
    t.is(readThrough([other]), other);
  });
}

test('a head after a hidden one is not held back', (t) => {
  t.is(readThrough([plain + head.slice(0, 20)]), head.slice(0, 20));
});

test('the next request on the connection has its own 100 Continue hidden', (t) => {
  const arrived = [plain + head, `abc`];
  const socket = {
    read: () => {
      const next = arrived.shift();
      return next === undefined ? null : Buffer.from(next);
    },
    write: () => true,
  } as unknown as Socket;
  hideInterim(socket);
  socket.write('GET /1 HTTP/1.1\r\n\r\n');
  t.is(String(socket.read()), head);
  t.is(String(socket.read()), 'abc');
  socket.write('GET /2 HTTP/1.1\r\n\r\n');
  arrived.push(plain, head);
  t.is(String(socket.read()), head);
});
