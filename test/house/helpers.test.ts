import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { connection, open, raw, request } from '../helpers/client.ts';
import { Log } from '../helpers/log.ts';
import {
  type Answer,
  bodyOf,
  defaultLastModified,
  gate,
  refusedPort,
  sha256OfGenerated,
  startOrigin,
} from '../helpers/origin.ts';
import { cpuSeconds, launch, openFiles, rssKb } from '../helpers/process.ts';

const body = bodyOf('package', 300_001);

async function ask(t: ExecutionContext, answer: Answer, fields: [string, string][] = []) {
  const { port } = await startOrigin(t, { files: { '/p': { body, ...answer } } });
  return request({ port, target: '/p', fields });
}

test('a body is named by its seed, whichever way it is read, and does not compress', async (t) => {
  const { port } = await startOrigin(t, {
    files: { '/p': { generate: { seed: 'package', size: body.length } } },
  });
  const streamed = await request({ port, target: '/p' });
  const part = await request({ port, target: '/p', fields: [['Range', 'bytes=70001-200002']] });
  t.true(streamed.body.equals(body));
  t.true(part.body.equals(body.subarray(70_001, 200_003)));
  t.false(bodyOf('other', body.length).equals(body));
  t.true(deflateSync(body).length > body.length);
  const digest = createHash('sha256').update(body).digest('hex');
  t.is(await sha256OfGenerated({ seed: 'package', size: body.length }), digest);
});

test('an unscripted answer is an honest mirror: length, validators, 404', async (t) => {
  const answer = await ask(t, {});
  t.like(answer, { status: 200, ended: 'complete', surplus: 0 });
  t.true(answer.body.equals(body));
  t.is(answer.header('content-length'), '300001');
  t.is(answer.header('last-modified'), defaultLastModified);
  t.is(answer.header('etag'), '"67748580-493e1"');
  const { port } = await startOrigin(t);
  t.is((await request({ port, target: '/p' })).status, 404);
});

test('ranges and conditions are answered as RFC 9110 says', async (t) => {
  const { port } = await startOrigin(t, { files: { '/p': body } });
  const get = (...fields: [string, string][]) => request({ port, target: '/p', fields });
  const part = await get(['Range', 'bytes=5-9']);
  t.is(part.header('content-range'), 'bytes 5-9/300001');
  t.true(part.body.equals(body.subarray(5, 10)));
  t.is((await get(['Range', 'bytes=-3'])).header('content-range'), 'bytes 299998-300000/300001');
  t.is((await get(['Range', 'bytes=300001-'])).header('content-range'), 'bytes */300001');
  t.is((await get(['Range', 'bytes=5-'], ['If-Range', '"other"'])).status, 200);
  t.is((await get(['Range', 'bytes=5-'], ['If-Range', '"67748580-493e1"'])).status, 206);
  t.is((await get(['If-Modified-Since', defaultLastModified])).status, 304);
  t.is((await get(['If-None-Match', '"other"'])).status, 200);
});

test('a path is found in any spelling that decodes to it once', async (t) => {
  const origin = await startOrigin(t, { files: { '/a+b%252F': 'plus' } });
  const spelt = await request({ port: origin.port, target: '/%61%2Bb%252F' });
  const other = await request({ port: origin.port, target: '/a+b%2F' });
  t.is(String(spelt.body), 'plus');
  t.is(other.status, 404);
  t.is(origin.count('/a%2Bb%252F'), 1);
  t.is(origin.requests[0]?.target, '/%61%2Bb%252F');
});

const endings: [title: string, answer: Answer, ended: string, length: number][] = [
  ['cut inside its length', { cutAfter: 100_000 }, 'short', 100_000],
  ['cut before its first byte', { cutAfter: 0 }, 'short', 0],
  ['reset', { resetAfter: 100_000 }, 'reset', 100_000],
  ['reset after its last byte', { resetAfter: 300_001 }, 'complete', 300_001],
  ['shorter than its Content-Length', { length: 300_002 }, 'short', 300_001],
  ['chunked', { length: 'chunked', chunks: { size: 999 } }, 'complete', 300_001],
  ['chunked and cut', { length: 'chunked', cutAfter: 5 }, 'chunk-missing', 5],
  ['chunked without the last chunk', { dropChunkEnd: true }, 'chunk-missing', 300_001],
  ['chunked and reset', { length: 'chunked', resetAfter: 5 }, 'reset', 5],
  ['without a length', { length: 'none' }, 'complete', 300_001],
  ['without a length and reset', { length: 'none', resetAfter: 7 }, 'reset', 7],
];

for (const [title, answer, ended, length] of endings) {
  test(`a body that is ${title} ends "${ended}" after ${length} bytes`, async (t) => {
    const got = await ask(t, answer);
    t.is(got.ended, ended as typeof got.ended);
    t.true(got.body.equals(body.subarray(0, length)));
  });
}

test('a body longer than announced shows as surplus, one shorter than the cut is whole', async (t) => {
  const longer = await ask(t, { body: 'abcdef', length: 4 });
  t.is(`${longer.body} ${longer.surplus}`, 'abcd 2');
  const resumed = await ask(t, { cutAfter: 200_000 }, [['Range', 'bytes=150000-']]);
  t.is(`${resumed.body.length} ${resumed.ended}`, '150001 complete');
});

test('a stall is silence on an open connection', async (t) => {
  const { port } = await startOrigin(t, { files: { '/p': { body, stallAfter: 10 } } });
  const stream = open({ port, target: '/p', silence: 1000, t });
  t.true((await stream.read(10)).equals(body.subarray(0, 10)));
  await t.throwsAsync(stream.read(1), { message: 'No byte for 1000 ms' });
});

test('a gate holds the head, or the body at its byte, and says that someone waits', async (t) => {
  const [head, middle] = [gate(), gate()];
  const origin = await startOrigin(t, {
    files: { '/p': { body, delayHead: head, chunks: { gate: middle, after: 1000 } } },
  });
  const stream = open({ port: origin.port, target: '/p', t });
  await head.reached;
  head.open();
  await middle.reached;
  t.is((await stream.read(1000)).length, 1000);
  t.is(origin.requests[0]?.sent, 1000);
  middle.open();
  t.true((await stream.rest()).body.equals(body.subarray(1000)));
});

test('what the origin says is what the client hears: fields, 1xx, reason, raw bytes', async (t) => {
  const fields: [string, string][] = ['Set-Cookie', 'set-cookie', 'etag'].map((key) => [key, 'x']);
  const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n';
  const got = await ask(t, { status: 203, reason: 'As You Like It', fields, interim });
  t.is(got.reason, 'As You Like It');
  t.deepEqual(got.interim, [100, 103]);
  t.deepEqual(got.headers('SET-COOKIE'), ['x', 'x']);
  t.deepEqual(got.headers('ETag'), ['x']);
  const { port } = await startOrigin(t, { files: { '/p': { raw: 'SSH-2.0-x\r\n' } } });
  t.is(String(await raw(port, 'GET /p HTTP/1.1\r\n\r\n')), 'SSH-2.0-x\r\n');
});

test('the script is told how many times it was asked, and every request is kept', async (t) => {
  const origin = await startOrigin(t, {
    files: { '*': ({ target }, time) => ({ body: `${target} ${time}` }) },
  });
  const bodies: string[] = [];
  for (const target of ['/a', '/b', '/a?q']) {
    bodies.push(String((await request({ port: origin.port, target })).body));
  }
  t.deepEqual(bodies, ['/a 1', '/b 1', '/a?q 2']);
  t.is(origin.count(), 3);
  t.is((await origin.arrived('/a', 2)).target, '/a?q');
});

test('a connection carries answers in order, pipelined or not, HEAD and 304 among them', async (t) => {
  const origin = await startOrigin(t, { files: { '/p': body, '/q': 'q' } });
  const line = connection({ port: origin.port, t });
  const since: [string, string] = ['If-Modified-Since', defaultLastModified];
  const answers = await Promise.all([
    line.send({ target: '/p' }),
    line.send({ target: '/p', method: 'HEAD' }),
    line.send({ target: '/p', fields: [since] }),
    line.send({ target: '/q' }),
  ]);
  const seen = answers.map((answer) => `${answer.status} ${answer.body.length}`);
  t.deepEqual(seen, ['200 300001', '200 0', '304 0', '200 1']);
  t.is(answers[1]?.header('content-length'), '300001');
  t.is(origin.connections, 1);
});

test('a client that leaves is gone for the origin, in the middle of a body too', async (t) => {
  const { port, ...origin } = await startOrigin(t, {
    files: { '/p': { body, chunks: { gate: gate(), after: 10 } }, '/s': { body, stallAfter: 0 } },
  });
  for (const target of ['/p', '/s']) {
    const stream = open({ port, target });
    const seen = await origin.arrived(target);
    await stream.head;
    stream.destroy();
    await seen.gone;
  }
  t.pass();
});

test('a paused client is felt: the origin cannot send on', async (t) => {
  const size = 64 * 1024 ** 2;
  const origin = await startOrigin(t, { files: { '/p': { generate: { seed: 1, size } } } });
  const stream = open({ port: origin.port, target: '/p', t });
  await stream.head;
  stream.pause();
  const other = await request({ port: origin.port, target: '/p', sink: () => {} });
  t.is(other.ended, 'complete');
  t.true((origin.requests[0]?.sent ?? size) < size);
  stream.resume();
  t.is((await stream.rest()).body.length, size);
});

test('an origin that stopped refuses, and answers again on its port after a restart', async (t) => {
  const origin = await startOrigin(t, { files: { '/p': body } });
  const line = connection({ port: origin.port, t });
  await line.send({ target: '/p' });
  await origin.stop();
  t.is(await line.closed, 'reset');
  await t.throwsAsync(request({ port: origin.port, target: '/p' }), { code: 'ECONNREFUSED' });
  await origin.restart();
  t.is((await request({ port: origin.port, target: '/p' })).status, 200);
});

test('a refused port refuses, a silent origin accepts and says nothing', async (t) => {
  const refused = request({ port: await refusedPort(t), target: '/' });
  await t.throwsAsync(refused, { code: 'ECONNREFUSED' });
  const silent = await startOrigin(t, { silent: true });
  const asked = request({ port: silent.port, target: '/', silence: 1000 });
  await t.throwsAsync(asked, { message: 'No byte for 1000 ms' });
  t.is(silent.count(), 1);
});

test('a script that throws fails the test instead of looking like a dead mirror', async (t) => {
  const attempt = await t.try(async (inner) => {
    const script = () => Promise.reject(new Error('script'));
    const { port } = await startOrigin(inner, { files: { '*': script } });
    await inner.throwsAsync(request({ port, target: '/' }));
  });
  attempt.discard();
  t.false(attempt.passed);
});

test('the client refuses what no server may send', async (t) => {
  const wrong = [
    'HTTP/1.1 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent',
  ];
  for (const bytes of wrong) {
    const { port } = await startOrigin(t, { files: { '*': { raw: bytes } } });
    await t.throwsAsync(request({ port, target: '/' }), { message: /^(Not a|A chunk|No answer)/ });
  }
});

test('a program is started, watched, measured and stopped by its pid alone', async (t) => {
  const log = new Log();
  const script = "setInterval(() => {}, 9); console.log('up'); console.error('  at x (y:1:2)')";
  const child = launch(process.execPath, { args: ['-e', script], onLine: (line) => log.add(line) });
  log.follow(child.exited);
  t.is(await log.find(/^up$/), 'up');
  t.true((await rssKb(child.pid)) > 10_000);
  t.true((await cpuSeconds(child.pid)) > 0);
  t.true((await openFiles(child.pid)).length > 2);
  const future = t.throwsAsync(log.find(/never/), { message: /it exited with SIGTERM/ });
  child.signal('SIGTERM');
  t.deepEqual(await child.exitWithin(5000), { code: null, signal: 'SIGTERM' });
  await future;
  t.throws(() => log.assertSane(), { message: /stack trace/ });
});
