import { connect } from 'node:net';
import { parseHead, valuesOf } from '../../helpers/fields.ts';

/** What a hostile or broken client sends, and the statuses of all that may come back. */
export type Hostile = readonly [what: string, bytes: string | Buffer, ...statuses: number[]];

/** The target that is stored, so that a request for it costs no source anything. */
export const stored = '/x.tar.gz';

/** A request that nothing is wrong with. */
export const good = `GET ${stored} HTTP/1.1\r\nHost: cache\r\n\r\n`;

/** A well-formed head but for the fields given. */
export function get(...fields: readonly string[]): string {
  return `GET ${stored} HTTP/1.1\r\nHost: cache\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`;
}

/** A head with a request line of one's own. */
export function line(text: string): string {
  return `${text}\r\nHost: cache\r\n\r\n`;
}

/** How to treat the connection. */
export interface Manner {
  /** The client's FIN comes right behind its bytes. */
  readonly halfClose?: boolean;
  /** The connection is to stay: the client ends it, when it has as many answers as expected. */
  readonly stays?: boolean;
}

/** What came back, until the daemon closed the connection. */
export interface Outcome {
  readonly statuses: readonly number[];
  /** Bytes that belong to no answer. */
  readonly rest: string;
}

const patience = 20_000;

/**
 * Sends the bytes and reads until the daemon has closed the connection.
 *
 * @throws when it does not, in good time.
 */
export async function outcomeOf(
  port: number,
  [, bytes, ...expected]: Hostile,
  manner: Manner,
): Promise<Outcome> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const closed = Promise.withResolvers<void>();
  let received = Buffer.alloc(0);
  const timer = setTimeout(() => {
    closed.reject(new Error(`The connection stays open after ${JSON.stringify(String(received))}`));
  }, patience);
  socket.on('data', (piece) => {
    received = Buffer.concat([received, piece]);
    if (manner.stays && parse(received).statuses.length >= expected.length) socket.end();
  });
  // Its own half is still open: what counts is that the daemon has ended the other one.
  socket.on('end', closed.resolve);
  socket.on('close', () => closed.resolve());
  // A reset is as good as a FIN here, once the answers are in.
  socket.on('error', () => {});
  const sent = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  if (manner.halfClose) socket.end(sent);
  else socket.write(sent);
  await closed.promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
  return parse(received);
}

function parse(received: Buffer): Outcome {
  const statuses: number[] = [];
  let at = 0;
  for (;;) {
    const end = received.indexOf('\r\n\r\n', at);
    if (end < 0) return { statuses, rest: received.toString('latin1', at) };
    const { start, fields } = parseHead(received.subarray(at, end + 2));
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(start)?.[1]);
    const next = end + 4 + Number(valuesOf(fields, 'content-length')[0] ?? 0);
    if (Number.isNaN(status) || next > received.length) {
      return { statuses, rest: received.toString('latin1', at) };
    }
    statuses.push(status);
    at = next;
  }
}
