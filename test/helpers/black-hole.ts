import { once } from 'node:events';
import { connect } from 'node:net';
import type { ExecutionContext } from 'ava';
import { launch } from './process.ts';

/** Where connecting is to take for ever. */
export interface BlackHole {
  readonly host: string;
  /** Any that is free, when nothing is said. */
  readonly port?: number;
}

const listener =
  "const s = require('net').createServer().listen({ port: +process.argv[2], host: process.argv[1]," +
  ' backlog: 1 }, () => console.log(s.address().port))';

/** A port on which connecting takes for ever: a stopped program's, whose queue is full. */
export async function startBlackHole(
  t: ExecutionContext,
  { host, port = 0 }: BlackHole,
): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const program = launch(process.execPath, {
    args: ['-e', listener, host, String(port)],
    onLine: (line) => resolve(Number(line)),
  });
  t.teardown(() => program.signal('SIGKILL'));
  const found = await promise;
  program.signal('SIGSTOP');
  const sockets = Array.from({ length: 8 }, () => connect(found, host));
  for (const socket of sockets) {
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
  }
  await Promise.any(sockets.map((socket) => once(socket, 'connect')));
  return found;
}
