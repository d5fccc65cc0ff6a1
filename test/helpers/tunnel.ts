import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { listen } from './tcp.ts';

/** A proxy that makes tunnels (RFC 9110 section 9.3.6), whatever host is asked for, to one port. */
export interface Tunnel {
  /** `http://127.0.0.1:PORT/`. */
  readonly url: string;
  /** What it was asked for: `host:port`, and the credentials that came with it. */
  readonly asked: readonly { readonly target: string; readonly credentials: string | undefined }[];
}

/** Starts a tunnel to a port on 127.0.0.1. */
export async function startTunnel(t: ExecutionContext, port: number): Promise<Tunnel> {
  const asked: { target: string; credentials: string | undefined }[] = [];
  const server = createServer();
  server.on('connect', ({ url = '', headers }, client: Socket) => {
    asked.push({ target: url, credentials: headers['proxy-authorization'] });
    const far = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      client.pipe(far).pipe(client);
    });
    client.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => client.destroy()).on('close', () => client.destroy());
  });
  t.teardown(() => server.close());
  return { url: `http://127.0.0.1:${await listen(server)}/`, asked };
}
