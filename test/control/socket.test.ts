import { once } from 'node:events';
import { lstat, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { errorCodes, MAX_MESSAGE_BYTES, MAX_ROWS } from '../../daemon/control/wire.ts';
import { type Control, dialControl, paramsOf } from '../helpers/control.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { plantMany } from '../helpers/entries.ts';
import { bodyOf, gate, startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';

const entries = 30_000;
const target = '/distfiles/aa/package.tar.xz';

const scene = share(test, async (t) => {
  const origin = await startOrigin(t, { files: { '*': { body: bodyOf('package', 100_001) } } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  plantMany(daemon.cacheDir, entries);
  return { origin, daemon };
});

async function dial(t: ExecutionContext): Promise<Control> {
  return dialControl(t, scene().daemon.controlSocket);
}

/** What the daemon makes of bytes that are no WebSocket. */
async function raw(path: string, bytes: string): Promise<string> {
  const socket = connect(path);
  socket.write(bytes);
  let text = '';
  socket.on('data', (piece) => {
    text += String(piece);
  });
  await once(socket, 'close');
  return text;
}

test('the socket is for its owner and its group alone', async (t) => {
  const found = await stat(scene().daemon.controlSocket);
  t.true(found.isSocket());
  t.is(found.mode & 0o777, 0o660);
});

const malformed: readonly (readonly [string, string | Buffer, number])[] = [
  ['no JSON', 'hello?', errorCodes.parse],
  ['binary rubbish', Buffer.from([0, 255, 254, 1]), errorCodes.parse],
  ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"status"}]', errorCodes.request],
  ['an unknown method', '{"jsonrpc":"2.0","id":1,"method":"statu"}', errorCodes.method],
  ['a wrong type', '{"jsonrpc":"2.0","id":1,"method":"ls","params":{"path":1}}', errorCodes.params],
  ['a message over the limit', ' '.repeat(MAX_MESSAGE_BYTES + 1), errorCodes.request],
  ['one far over the limit', ' '.repeat(15 * MAX_MESSAGE_BYTES), errorCodes.request],
];

for (const [what, message, code] of malformed) {
  test(`${what} gets its error, and the connection lives`, async (t) => {
    const control = await dial(t);
    control.write(message);
    t.like(await control.next(), { jsonrpc: '2.0', error: { code } });
    t.like((await control.call('log-level')).reply, { level: 'info' });
  });
}

test('what is no WebSocket is told so, and ends', async (t) => {
  const { controlSocket } = scene().daemon;
  t.regex(await raw(controlSocket, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 426 /);
  t.regex(await raw(controlSocket, 'rubbish\r\n\r\n'), /^HTTP\/1\.1 400 /);
});

test('a request without an id gets no answer', async (t) => {
  const control = await dial(t);
  control.write('{"jsonrpc":"2.0","method":"status"}');
  await control.call('log-level');
  // Hello and the one answer.
  t.is(control.messages.length, 2);
});

test('requests that come at once are all answered', async (t) => {
  const control = await dial(t);
  const levels = await Promise.all(Array.from({ length: 200 }, () => control.call('log-level')));
  t.true(levels.every(({ error }) => error === undefined));
});

test('a list comes in pieces of a thousand rows at most, and is whole', async (t) => {
  const { rows, notifications, reply } = await (await dial(t)).call('ls', { path: 'many/*' });
  t.is(reply.entries, entries);
  t.is(new Set(rows.map(({ path }) => path)).size, entries);
  t.true(notifications.every(({ params }) => 'rows' in params && params.rows.length <= MAX_ROWS));
});

test('the daemon serves at once while a large list is made and sent', async (t) => {
  const { daemon } = scene();
  const control = await dial(t);
  await daemon.get(target);
  let busy = true;
  const listed = control.call('ls', { sort: 'used' }).finally(() => {
    busy = false;
  });
  let slowest = 0;
  while (busy) {
    const before = performance.now();
    t.is((await daemon.get(target)).status, 200);
    slowest = Math.max(slowest, performance.now() - before);
  }
  t.true((await listed).rows.length >= entries);
  // On two cores that other tests share; a blocked loop would take as long as the list.
  t.true(slowest < 2000, `${slowest}`);
});

test.serial('a client that asks and does not read costs no memory', async (t) => {
  const { daemon } = scene();
  const control = await dial(t);
  const before = await daemon.rssKb();
  control.pause();
  // The answers have several kB each.
  for (let id = 0; id < 50_000; id += 1) {
    control.write(`{"jsonrpc":"2.0","id":${id},"method":"stats"}`);
  }
  const other = await dial(t);
  for (let count = 0; count < 100; count += 1) await other.call('stats');
  const grown = (await daemon.rssKb()) - before;
  t.true(grown < 80_000, `${grown} kB`);
});

test('events that a client does not read are dropped and counted, and the newest come', async (t) => {
  const { daemon } = scene();
  const control = await dial(t);
  control.write('{"jsonrpc":"2.0","id":1,"method":"watch","params":{"requests":true}}');
  await control.call('log-level');
  control.pause();
  const name = 'x'.repeat(200);
  const pad = `?${'y'.repeat(7000)}`;
  for (let count = 0; count < 60; count += 1) {
    await Promise.all(
      Array.from({ length: 8 }, () => daemon.get(`/${name}${pad}`, { method: 'HEAD' })),
    );
  }
  control.resume();
  await daemon.get(`${target}?last`);
  const seen = () =>
    control.messages.some((message) => JSON.stringify(paramsOf(message)).includes('?last'));
  if (!seen()) await control.next(seen);
  const last = control.messages.findLast(({ method }) => method === 'events');
  t.true(Number(paramsOf(last ?? {}).dropped) > 0);
});

test('closing the connection calls its command off', async (t) => {
  const { daemon, origin } = scene();
  const held = gate();
  t.teardown(held.open);
  const path = '/distfiles/bb/slow.tar.xz';
  origin.serve(path, { body: bodyOf('slow', 100_001), chunks: { gate: held, after: 1000 } });
  const control = await dial(t);
  control.write(
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'fetch', params: { paths: [path] } }),
  );
  const upstream = await origin.arrived(path);
  control.close();
  await upstream.gone;
  await daemon.logged(/slow\.tar\.xz": nobody waits for it/);
  t.pass();
});

test.serial('more connections than there may be are refused, and the others live', async (t) => {
  const held = await Promise.all(Array.from({ length: 32 }, () => dial(t)));
  await t.throwsAsync(dial(t), { message: /503/ });
  t.is((await held[0]?.call('log-level'))?.error, undefined);
  for (const control of held) control.close();
  await Promise.all(held.map(({ closed }) => closed));
  await t.notThrowsAsync(dial(t));
});

test('MAX_CONTROL_CONNECTIONS says how many, a reload too, and silent ones count twice as far', async (t) => {
  const sources = ['http://127.0.0.1:9/'];
  const daemon = await startDaemon(t, { sources, conf: { MAX_CONTROL_CONNECTIONS: '1' } });
  const one = await dialControl(t, daemon.controlSocket);
  await t.throwsAsync(dialControl(t, daemon.controlSocket), { message: /503/ });
  const silent = [1, 2].map(() => connect(daemon.controlSocket).resume());
  t.teardown(() => {
    for (const socket of silent) socket.destroy();
  });
  await Promise.race(silent.map((socket) => once(socket, 'close')));
  await daemon.configure({ MAX_CONTROL_CONNECTIONS: '2' });
  await one.call('reload');
  await t.notThrowsAsync(dialControl(t, daemon.controlSocket));
});

test('a socket that a crash left is replaced; the daemon that is gone leaves none', async (t) => {
  const daemon = await startDaemon(t, { sources: ['http://127.0.0.1:9/'] });
  await daemon.kill();
  t.true((await lstat(daemon.controlSocket)).isSocket());
  await daemon.restart();
  const control = await dialControl(t, daemon.controlSocket);
  t.is(control.hello.pid, daemon.pid);
  await daemon.stop();
  await control.closed;
  await t.throwsAsync(lstat(daemon.controlSocket), { code: 'ENOENT' });
});

test('a daemon never takes the socket of another one that lives, and runs on without', async (t) => {
  const { controlSocket, pid } = scene().daemon;
  const origin = await startOrigin(t, { files: { '*': 'text' } });
  const conf = { CONTROL_SOCKET: controlSocket };
  const second = await startDaemon(t, { sources: [origin.url], conf });
  await second.logged(/warn: no control socket: .*control\.sock": another daemon does/);
  t.is((await second.get('/distfiles/a.tar.xz')).status, 200);
  t.is((await dialControl(t, controlSocket)).hello.pid, pid);
});

test('a group that does not exist is told in the log, and the daemon runs on', async (t) => {
  const daemon = await startDaemon(t, {
    sources: ['http://127.0.0.1:9/'],
    conf: { PC_GROUP: 'no-such-group' },
  });
  await daemon.logged(/warn: .*"no-such-group"/);
  t.is((await stat(daemon.controlSocket)).mode & 0o777, 0o600);
});
