import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';

/** Listens on an address, 127.0.0.1 when nothing is said, and answers the port. */
export async function listen(server: Server, port = 0, host = '127.0.0.1'): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No TCP address');
  return address.port;
}

/**
 * A port on 127.0.0.1 that refuses connections until the test ends. It is the local port of an open
 * connection, so that the kernel gives it to nobody else meanwhile.
 */
export async function refusedPort(t: ExecutionContext): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}));
  const client = connect(await listen(server), '127.0.0.1');
  t.teardown(() => {
    client.destroy();
    server.close();
  });
  await once(client, 'connect');
  if (client.localPort === undefined) throw new Error('No local port');
  return client.localPort;
}

/** Sends a RST once the other side has all that was written: a RST overtakes what is unsent. */
export async function resetAfterDelivery(socket: Socket): Promise<void> {
  for (let round = 0; round < 400 && !socket.destroyed; round += 1) {
    if (socket.writableLength === 0 && (await unacknowledged(socket)) === 0) break;
    await pause(5);
  }
  socket.resetAndDestroy();
}

async function unacknowledged({ localPort, remotePort }: Socket): Promise<number> {
  const table = await readFile('/proc/net/tcp', 'latin1').catch(() => '');
  const ends = `:${hexPort(localPort)} [0-9A-F]{8}:${hexPort(remotePort)}`;
  const row = new RegExp(`${ends} [0-9A-F]{2} ([0-9A-F]{8}):`).exec(table);
  return Number.parseInt(row?.[1] ?? '0', 16);
}

function hexPort(port = 0): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}
