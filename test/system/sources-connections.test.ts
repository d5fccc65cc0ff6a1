import { createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { bodyOf } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { listen } from '../helpers/tcp.ts';
import { openRepositories } from './repositories.ts';

const body = bodyOf('package', 50_000);
const path = 'distfiles/aa/x-1.tar.xz';
const ok = (text: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`;

/** A source that does what it likes with each request, told how many came on its connection. */
async function startBare(
  t: ExecutionContext,
  answer: (socket: Socket, request: { head: string; time: number }) => void,
) {
  const heads: string[] = [];
  const server = createServer((socket) => {
    let time = 0;
    socket.on('error', () => {});
    socket.on('data', (head) => {
      time += 1;
      heads.push(String(head));
      answer(socket, { head: String(head), time });
    });
  });
  const port = await listen(server);
  t.teardown(() => server.close());
  return { url: `http://127.0.0.1:${port}/` as const, heads };
}

const scene = share(test, async (t) => {
  const resetting = await startBare(t, (socket) => socket.resetAndDestroy());
  const closing = await startBare(t, (socket) => socket.end());
  const tiring = await startBare(t, (socket, { time }) => {
    if (time === 1) socket.write(ok('first'));
    else socket.resetAndDestroy();
  });
  const garbled = await startBare(t, (socket, { time }) => {
    if (time === 1) socket.write(ok('fine!'));
    else socket.end('220 mail ESMTP\r\n');
  });
  const surplus = await startBare(t, (socket, { head, time }) => {
    const text = head.includes('/first') ? 'first' : 'other';
    socket.write(ok(text) + (time === 1 ? ok('wrong') : ''));
  });
  const bare = { resetting, closing, tiring, garbled, surplus };
  const repositories = await openRepositories(t, {
    interim: ['origin'],
    kept: ['origin'],
    stale: ['origin'],
    herd: ['origin'],
    framed: ['origin'],
    closes: ['origin'],
    resetting: [resetting.url],
    closing: [closing.url],
    tiring: [tiring.url],
    garbled: [garbled.url],
    surplus: [surplus.url],
  } as const);
  return { ...repositories, bare };
});

const hello = 'HTTP/1.1 100 Continue\r\n\r\n';
const busy = 'HTTP/1.1 102 Processing\r\n\r\n';
const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n';
for (const [what, interim] of [
  ['100', hello],
  ['102', busy],
  ['103', hints],
  ['100 of HTTP/1.0', hello.replace('1.1', '1.0')],
  ['100 with fields', 'HTTP/1.1 100 Go on\r\nServer: x\r\nX: y\r\n\r\n'],
  ['100 twice', hello + hello],
  ['100, 103, 100 and 102', hello + hints + hello + busy],
  ['103 twenty times', hints.repeat(20)],
] as const) {
  test(`an interim answer is passed over: ${what} (RFC 9110 15.2)`, async (t) => {
    const { origins, get } = scene().of.interim;
    const own = `${path}.${what.replaceAll(/\W/g, '')}`;
    origins[0].serve(own, { body, interim });
    const answer = await get(own);
    t.like(answer, { status: 200, ended: 'complete', interim: [] });
    t.true(answer.body.equals(body));
  });
}

test('a body that looks like an interim answer is a body', async (t) => {
  const { origins, get } = scene().of.framed;
  const text = hello + hello;
  origins[0].serve(path, text);
  origins[0].serve(`${path}.gz`, { body: text, interim: hello, chunks: { size: 7 } });
  t.is(String((await get(path)).body), text);
  t.is(String((await get(`${path}.gz`)).body), text);
});

test('a connection is kept and used again', async (t) => {
  const { origins, get } = scene().of.kept;
  origins[0].serve('*', body);
  for (const name of ['a', 'b', 'c']) t.is((await get(`${path}.${name}`)).status, 200);
  t.is(origins[0].connections, 1);
});

test('a source that closes after each answer is asked on new connections', async (t) => {
  const { origins, get } = scene().of.closes;
  origins[0].serve('*', { body, fields: [['Connection', 'close']] });
  for (const name of ['a', 'b', 'c']) t.is((await get(`${path}.${name}`)).status, 200);
  t.is(origins[0].count(), 3);
});

test('a kept connection that closes under a request is replaced (RFC 9110 9.2.2)', async (t) => {
  const { daemon, of } = scene();
  const { origins, get } = of.stale;
  origins[0].serve(`${path}.1`, body);
  origins[0].serve(`${path}.2`, (_, time) => (time === 1 ? { raw: '' } : { body }));
  await get(`${path}.1`);
  t.true((await get(`${path}.2`)).body.equals(body));
  t.is(origins[0].count(`${path}.2`), 2);
  t.false(daemon.log().some((line) => line.includes(`source ${origins[0].url} is set aside`)));
});

test('kept connections that all close at a time are all replaced', async (t) => {
  const { origins, get } = scene().of.herd;
  const names = Array.from({ length: 6 }, (_, at) => `${path}.${at}`);
  const gate = origins[0].gate();
  for (const own of names) origins[0].serve(own, { body, delayHead: gate });
  const first = names.map((own) => get(own));
  for (const own of names) await origins[0].arrived(own);
  gate.open();
  await Promise.all(first);
  const again = names.map((own) => `${own}.again`);
  for (const own of again)
    origins[0].serve(own, (_, time) => (time === 1 ? { raw: '' } : { body }));
  for (const answer of await Promise.all(again.map((own) => get(own)))) t.is(answer.status, 200);
});

for (const [name, what] of [
  ['resetting', 'resets'],
  ['closing', 'closes'],
] as const) {
  test(`a source that always ${what} is asked once`, async (t) => {
    const { of, bare } = scene();
    t.is((await of[name].get(path)).status, 502);
    t.is(bare[name].heads.length, 1);
  });
}

test('a source that tires of every second request is asked again each time', async (t) => {
  const { of } = scene();
  for (const name of ['a', 'b', 'c', 'd']) {
    t.is(String((await of.tiring.get(`${path}.${name}`)).body), 'first');
  }
});

test('garbage on a kept connection is an answer, and not asked for again', async (t) => {
  const { of, bare } = scene();
  t.is(String((await of.garbled.get(`${path}.a`)).body), 'fine!');
  t.is((await of.garbled.get(`${path}.b`)).status, 502);
  t.is(bare.garbled.heads.length, 2);
});

test('what a source sends behind an answer is not the answer to the next request', async (t) => {
  const { of } = scene();
  t.is(String((await of.surplus.get('distfiles/aa/first')).body), 'first');
  for (const name of ['second', 'third']) {
    t.is(String((await of.surplus.get(`distfiles/aa/${name}`)).body), 'other');
  }
});
