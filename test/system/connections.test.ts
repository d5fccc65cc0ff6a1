import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { connection, open } from '../helpers/client.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { bodyOf, gate, startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';

const scene = share(test, async (t) => {
  const origin = await startOrigin(t, { files: { '/*': 'a package' } });
  return { origin, daemon: await startDaemon(t, { sources: [origin.url] }) };
});

const good = 'GET /a.tar.gz HTTP/1.1\r\nHost: cache\r\n\r\n';

const rude: readonly (readonly [what: string, bytes: string])[] = [
  ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a good request', good],
  ['many good requests', good.repeat(50)],
  ['a good request and CONNECT', `${good}CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n`],
  ['a good request and garbage', `${good}garbage\r\n\r\n`],
  ['garbage', 'garbage\r\n\r\n'],
  ['a POST with a body', `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\na`],
  ['a body that is too big', `GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n`],
  [
    'an expectation',
    'GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n',
  ],
  ['an upgrade', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n'],
];

for (const [what, bytes] of rude) {
  test(`a client that resets its connection at the answer to ${what} harms nobody`, async (t) => {
    const { daemon } = scene();
    for (let time = 0; time < 5; time += 1) {
      const socket = connect(daemon.port, '127.0.0.1');
      t.teardown(() => socket.destroy());
      socket.write(bytes);
      await once(socket, 'data');
      socket.resetAndDestroy();
      t.is((await daemon.get('/.package-cache/health')).status, 200);
    }
  });
}

test('garbage behind a slow answer is refused once that answer is complete', async (t) => {
  const { daemon, origin } = scene();
  const held = gate();
  const body = bodyOf('slow', 200_000);
  origin.serve('/slow.tar.gz', { body, chunks: { gate: held, after: 1000 } });
  const client = connection({ port: daemon.port, t });
  const slow = client.send({ target: '/slow.tar.gz' });
  client.write('garbage\r\n\r\n');
  await held.reached;
  // More of it, in pieces, while the refusal waits for its turn.
  for (let piece = 0; piece < 30; piece += 1) {
    client.write(Buffer.alloc(1000));
    t.is((await daemon.get('/.package-cache/health')).status, 200);
  }
  held.open();
  const answer = await slow;
  t.is(answer.ended, 'complete');
  t.true(answer.body.equals(body));
  // Nothing is sent for it: the answer is the one to the garbage.
  const refusal = await client.send({ target: '/a.tar.gz' });
  t.is(refusal.status, 400);
  t.is(refusal.header('connection'), 'close');
  t.not(await client.closed, 'destroyed');
  t.false(daemon.log().some((line) => line.includes('Warning')));
});

test('a client that waits for "100 Continue" gets it, and then its answer', async (t) => {
  const { daemon } = scene();
  const client = connection({ port: daemon.port, t });
  const target = '/a.tar.gz';
  const fields: [string, string][] = [
    ['Expect', '100-continue'],
    ['Content-Length', '5'],
  ];
  const socket = connect(daemon.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.write(
    `GET ${target} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
  );
  const [leave] = await once(socket, 'data');
  t.is(String(leave), 'HTTP/1.1 100 Continue\r\n\r\n');
  socket.write('hello');
  const [head] = await once(socket, 'data');
  t.regex(String(head), /^HTTP\/1\.1 200 OK\r\n/);
  const impatient = await client.send({ target, fields, payload: 'hello' });
  t.deepEqual(impatient.interim, [100]);
  t.is(String(impatient.body), 'a package');
  t.is((await client.send({ target })).status, 200);
});

test('behind a slow answer "100 Continue" comes in its turn, and the body after its head', async (t) => {
  const { daemon, origin } = scene();
  const held = gate();
  origin.serve('/held.tar.gz', { body: 'held', delayHead: held });
  const fields: [string, string][] = [
    ['Expect', '100-continue'],
    ['Content-Length', '5'],
  ];
  const target = '/a.tar.gz';
  await daemon.get(target);
  const client = connection({ port: daemon.port, t });
  const slow = client.send({ target: '/held.tar.gz' });
  const waiting = client.send({ target, fields });
  await held.reached;
  held.open();
  t.is(String((await slow).body), 'held');
  client.write('hello');
  const answer = await waiting;
  t.deepEqual(answer.interim, [100]);
  t.is(String(answer.body), 'a package');
  t.is((await client.send({ target })).status, 200);

  const again = gate();
  origin.serve('/again.tar.gz', { body: 'held', delayHead: again });
  const first = client.send({ target: '/again.tar.gz' });
  const impatient = client.send({ target, fields, payload: 'hello' });
  await again.reached;
  t.is((await daemon.get(target)).status, 200);
  again.open();
  t.is(String((await first).body), 'held');
  t.is(String((await impatient).body), 'a package');
  t.is((await client.send({ target })).status, 200);
});

test('who waits for leave to send nothing is answered last, and nothing behind it is fetched', async (t) => {
  const { daemon, origin } = scene();
  const held = gate();
  origin.serve('/leave.tar.gz', { body: 'held', delayHead: held });
  const client = connection({ port: daemon.port, t });
  const answer = client.send({ target: '/leave.tar.gz', fields: [['Expect', '100-continue']] });
  client.write('GET /behind.tar.gz HTTP/1.1\r\nHost: a\r\n\r\n');
  await held.reached;
  t.is((await daemon.get('/.package-cache/health')).status, 200);
  held.open();
  t.is(String((await answer).body), 'held');
  await client.closed;
  t.is(origin.count('/behind.tar.gz'), 0);
});

const lastWords: readonly (readonly [what: string, bytes: string])[] = [
  ['a request that is the last', 'GET /a.tar.gz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
  ['a request of HTTP/1.0', 'GET /a.tar.gz HTTP/1.0\r\n\r\n'],
  ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['a method that is none of ours', 'PUT / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['garbage', 'garbage\r\n\r\n'],
];

for (const [what, bytes] of lastWords) {
  test(`what a client goes on to send behind ${what} takes no answer from it`, async (t) => {
    const { daemon } = scene();
    const socket = connect({ port: daemon.port, host: '127.0.0.1', allowHalfOpen: true });
    t.teardown(() => socket.destroy());
    const pieces: Buffer[] = [];
    const closed = once(socket, 'close');
    socket.on('data', (piece) => pieces.push(piece));
    socket.write(bytes);
    await once(socket, 'end');
    // A connection that the kernel has closed answers with a reset, before anything else can.
    for (let time = 0; time < 3; time += 1) {
      socket.write(good);
      t.is((await daemon.get('/.package-cache/health')).status, 200);
    }
    socket.end();
    await closed;
    t.is(String(Buffer.concat(pieces)).split('HTTP/1.1 ').length, 2);
  });
}

const refusedBodies: readonly (readonly [status: number, method: string, framing: string])[] = [
  [413, 'GET', 'Content-Length: 20000000'],
  [413, 'GET', 'Transfer-Encoding: chunked'],
  [405, 'PUT', 'Content-Length: 20000000'],
  [405, 'PUT', 'Transfer-Encoding: chunked'],
  [405, 'BREW', 'Content-Length: 20000000'],
  [403, 'CONNECT', 'Content-Length: 20000000'],
];

for (const [status, method, framing] of refusedBodies) {
  test(`a client that reads no answer before it has sent all gets ${status} for ${method} with ${framing}`, async (t) => {
    const socket = connect(scene().daemon.port, '127.0.0.1').pause();
    t.teardown(() => socket.destroy());
    socket.write(`${method} / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`);
    if (framing.endsWith('chunked')) socket.write('1312d00\r\n');
    const sent = Promise.withResolvers<void>();
    socket.write(Buffer.alloc(20_000_000), (error) => {
      if (error) sent.reject(error);
      else sent.resolve();
    });
    await sent.promise;
    const [head] = await once(socket.resume(), 'data');
    t.regex(String(head), new RegExp(`^HTTP/1.1 ${status} `));
  });
}

test('of a pipeline without end no more is read than is being answered', async (t) => {
  const { daemon, origin } = scene();
  const held = gate();
  // Nothing goes out meanwhile: what is written and not sent yet would make Node itself wait.
  origin.serve('/piped.tar.gz', { body: 'a package', delayHead: held });
  const long = `GET /piped.tar.gz HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(15_000)}\r\n\r\n`;
  const socket = connect(daemon.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  let flushed = false;
  // More than what the kernel holds for both ends.
  socket.write(long.repeat(1500), () => {
    flushed = true;
  });
  await held.reached;
  for (let time = 0; time < 100; time += 1) await daemon.get('/.package-cache/health');
  t.false(flushed);
  held.open();
  let answers = 0;
  for await (const piece of socket) {
    answers += String(piece).split('HTTP/1.1 200 OK').length - 1;
    if (answers === 1500) break;
  }
  t.true(flushed);
});

test('told to stop, the daemon ends the answers under way, closes and is gone', async (t) => {
  const held = gate();
  const body = bodyOf('last', 200_000);
  const script = { body, chunks: { gate: held, after: 1000 } };
  const origin = await startOrigin(t, { files: { '/last.tar.gz': script } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const idle = connection({ port: daemon.port, t });
  await idle.send({ target: '/.package-cache/health' });
  const busy = open({ port: daemon.port, target: '/last.tar.gz', t });
  await held.reached;
  const stopped = daemon.stop();
  t.not(await idle.closed, 'destroyed');
  held.open();
  const answer = await busy.rest();
  t.is(answer.ended, 'complete');
  t.true(answer.body.equals(body));
  const before = performance.now();
  t.is((await stopped).code, 0);
  // Neither the 20 s that answers have nor the 75 s that an idle connection has.
  t.true(performance.now() - before < 10_000);
});
