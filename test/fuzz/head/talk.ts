import { connect } from 'node:net';

/** How long a connection may take, in milliseconds; a daemon that hangs is found by it. */
const PATIENCE = 20_000;

/**
 * Sends the pieces one after another and no more after the last, and answers with all that comes
 * back until the daemon closes.
 *
 * @throws when it does not close, or closes with a reset.
 */
export function talk(port: number, pieces: readonly string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const received: Buffer[] = [];
  const text = () => Buffer.concat(received).toString('latin1');
  const timer = setTimeout(
    () => reject(new Error(`The connection stays open after ${JSON.stringify(text())}`)),
    PATIENCE,
  );
  socket.on('data', (piece) => received.push(piece));
  socket.on('end', () => resolve(text()));
  socket.on('error', reject);
  socket.on('close', () => resolve(text()));
  sendOn(socket, [...pieces]);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

// In turns of the event loop of its own, so that the daemon's reads end at any byte.
function sendOn(socket: ReturnType<typeof connect>, pieces: string[]): void {
  const piece = pieces.shift() ?? '';
  if (pieces.length === 0) socket.end(piece, 'latin1');
  else socket.write(piece, 'latin1', () => setImmediate(() => sendOn(socket, pieces)));
}
