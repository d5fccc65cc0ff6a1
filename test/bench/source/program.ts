import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { allotment } from './allotment.ts';

/**
 * A mirror that has every file: it sends the same megabyte from memory again and again. A name
 * begins with the file's size and the rate in bytes a second that all answers of that rate share;
 * 0 is as fast as it goes.
 */
const megabyte = randomBytes(1024 ** 2);
const shares = new Map<number, () => Promise<number>>();
let requests = 0;

const server = createServer((request, response) => {
  requests += 1;
  const [, size, rate] = (/\/(\d+)-(\d+)-[^/]*$/.exec(request.url ?? '') ?? []).map(Number);
  if (size === undefined || rate === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': size,
    'Last-Modified': 'Sat, 01 Nov 2025 00:00:00 GMT',
  });
  send({ response, size, rate }).catch((error: unknown) => response.destroy(error as Error));
});

interface Sending {
  readonly response: ServerResponse;
  readonly size: number;
  readonly rate: number;
}

async function send({ response, size, rate }: Sending): Promise<void> {
  const share = shareOf(rate);
  let left = size;
  while (left > 0 && !response.destroyed) {
    const most = Math.min(left, megabyte.length);
    const length = share === undefined ? most : Math.min(most, await share());
    left -= length;
    if (!response.write(megabyte.subarray(0, length))) await drained(response);
  }
  response.end();
}

function shareOf(rate: number): (() => Promise<number>) | undefined {
  if (rate > 0 && !shares.has(rate)) shares.set(rate, allotment(rate));
  return shares.get(rate);
}

/** Or gone. */
async function drained(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once('drain', resolve).once('close', resolve);
  await promise;
  response.off('drain', resolve).off('close', resolve);
}

process.on('message', () => process.send?.(requests));
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.send?.((server.address() as AddressInfo).port);
