import { once } from 'node:events';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { bodyOf } from '../helpers/origin.ts';
import { launch } from '../helpers/process.ts';
import { share } from '../helpers/share.ts';
import { openRepositories } from './repositories.ts';

const body = bodyOf('package', 20_000);
const path = 'distfiles/aa/x-1.tar.xz';
const listener =
  "const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }," +
  ' () => console.log(s.address().port))';

/** A port on which connecting takes for ever: a stopped program's, whose queue is full. */
async function startBlackHole(t: ExecutionContext): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const program = launch(process.execPath, {
    args: ['-e', listener],
    onLine: (line) => resolve(Number(line)),
  });
  t.teardown(() => program.signal('SIGKILL'));
  const port = await promise;
  program.signal('SIGSTOP');
  const sockets = Array.from({ length: 8 }, () => connect(port, '127.0.0.1'));
  for (const socket of sockets) {
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
  }
  await Promise.any(sockets.map((socket) => once(socket, 'connect')));
  return port;
}

const scene = share(test, async (t) => {
  const hole = `http://127.0.0.1:${await startBlackHole(t)}/` as const;
  return openRepositories(t, {
    alone: [hole],
    beside: [hole, 'origin', 'origin'],
  } as const);
});

test('a source to which no connection can be made is given up after ten seconds', async (t) => {
  t.timeout(30_000);
  const { get } = scene().of.alone;
  const started = performance.now();
  const answer = await get(path);
  const took = performance.now() - started;
  t.is(answer.status, 502);
  t.regex(String(answer.body), /Connect Timeout/);
  t.true(took > 9000 && took < 16_000, `${took}`);
});

test('beside another source it costs two seconds once, and then it is set aside', async (t) => {
  const { origins, get } = scene().of.beside;
  origins[0].serve('*', body);
  const started = performance.now();
  const first = await get(path);
  t.true(first.body.equals(body));
  t.true(first.headAt - started > 1900);
  const second = await get(`${path}.2`);
  t.true(second.headAt - first.headAt < 1500);
});
