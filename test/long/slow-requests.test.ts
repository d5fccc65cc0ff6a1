import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { startDaemon } from '../helpers/daemon.ts';
import { startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';

const scene = share(test, async (t) => {
  const origin = await startOrigin(t, { files: { '/*': 'a package\n' } });
  return startDaemon(t, { sources: [origin.url] });
});

const slow: readonly (readonly [what: string, bytes: string, ...statuses: number[]])[] = [
  ['half a request line', 'GET /a.tar', 408],
  ['an HTTP/0.9 request', 'GET /a.tar.gz\r\n', 408],
  ['a head without its end', 'GET /a.tar.gz HTTP/1.1\r\nHost: a\r\n', 408],
  ['white space without measure', `GET /a.tar.gz HTTP/1.1\r\nHost:${' '.repeat(100_000)}`, 408],
  ['the preface of HTTP/2 but for its end', 'PRI * HTTP/2.0\r\n\r\n', 408],
  ['half a head behind a good request', 'GET /a.tar.gz HTTP/1.1\r\nHost: a\r\n\r\nGET', 200, 408],
];

for (const [what, bytes, ...statuses] of slow) {
  test(`${what} is ${statuses.join(', ')} within 40 s`, async (t) => {
    t.timeout(60_000);
    const socket = connect(scene().port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    const pieces: Buffer[] = [];
    socket.on('data', (piece) => pieces.push(piece));
    const before = performance.now();
    socket.write(bytes);
    await once(socket, 'close');
    const heads = String(Buffer.concat(pieces)).matchAll(/^HTTP\/1\.1 (\d+) /gm);
    t.deepEqual(
      [...heads].map(([, status]) => Number(status)),
      statuses,
    );
    t.true(performance.now() - before < 40_000);
  });
}
