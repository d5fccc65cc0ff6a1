import { connect } from 'node:net';
import type { ExecutionContext } from 'ava';
import { type Answer, type Head, readBody, readHead } from './client-answer.ts';
import { BodyReader, type Listener } from './client-body.ts';
import { type Field, formatHead, valuesOf } from './fields.ts';
import { Wire } from './wire.ts';

export type { Answer, Ended, Head } from './client-answer.ts';

/** What is sent, and nothing that was not asked for but Host. */
export interface RequestOptions extends Listener {
  readonly port: number;
  /** Where the server is: 127.0.0.1 when nothing is said. */
  readonly address?: string;
  /** Sent as it is. */
  readonly target: string;
  readonly method?: string;
  readonly fields?: readonly Field[];
  /** False: no Host field. */
  readonly host?: string | false;
  readonly version?: string;
  readonly payload?: Buffer | string;
  /** Milliseconds without a byte after which a read rejects. */
  readonly silence?: number;
  /** Closes what is still open when the test ends. */
  readonly t?: ExecutionContext;
}

/** An answer that is read at the test's own pace. */
export interface Stream {
  readonly head: Promise<Head>;
  /** Exactly so many body bytes; fewer means that the body ended. */
  read(size: number): Promise<Buffer>;
  /** What is left of the body, with the head and how it ended. */
  rest(): Promise<Answer>;
  /** Takes nothing from the kernel, so that the server feels it. */
  pause(): void;
  resume(): void;
  destroy(): void;
  /** Breaks the connection with a RST; a mere end may be that of the request alone. */
  reset(): void;
}

/** A connection that outlives its answers. */
export interface Connection {
  /** Writes at once, so several calls are a pipeline; answers are read in order. */
  send(options: Omit<RequestOptions, 'port' | 't' | 'silence'>): Promise<Answer>;
  write(bytes: Buffer | string): void;
  /** How the server ended it: waits until it does. */
  readonly closed: Promise<'fin' | 'reset' | 'destroyed'>;
  destroy(): void;
}

const patience = 50_000;

/** One request on a connection of its own. */
export async function request(options: RequestOptions): Promise<Answer> {
  const stream = open(options);
  return stream.rest().finally(() => stream.destroy());
}

/** Sends a request and reads nothing but the head until asked. */
export function open(options: RequestOptions): Stream {
  const { method = 'GET' } = options;
  const wire = dial(options);
  wire.socket.write(headBytes(options));
  const head = readHead(wire);
  const body = new BodyReader(
    wire,
    head.then((known) => readBody(wire, known, method)),
    options,
  );
  // Whoever never looks at the head learns of its failure from the read.
  head.catch(() => {});
  return {
    head,
    read: (size) => body.take(size),
    rest: async () => body.rest(await head),
    pause: () => wire.hold(),
    resume: () => wire.release(),
    destroy: () => wire.socket.destroy(),
    reset: () => wire.socket.resetAndDestroy(),
  };
}

/** A connection for keep-alive and pipelining. */
export function connection(options: Pick<RequestOptions, 'port' | 't' | 'silence'>): Connection {
  const wire = dial(options);
  const { port } = options;
  const closed = new Promise<void>((resolve) => wire.socket.once('close', () => resolve()));
  let last: Promise<unknown> = Promise.resolve();
  return {
    send: (asked) => {
      wire.socket.write(headBytes({ ...asked, port }));
      const answer = last.then(async () => {
        const head = await readHead(wire);
        const pieces = Promise.resolve(readBody(wire, head, asked.method ?? 'GET'));
        return { ...(await new BodyReader(wire, pieces, asked).rest(head)), surplus: 0 };
      });
      last = answer.catch(() => {});
      return answer;
    },
    write: (bytes) => wire.socket.write(bytes),
    closed: closed.then(() => wire.ending ?? 'destroyed'),
    destroy: () => wire.socket.destroy(),
  };
}

/** Sends bytes and answers with all that comes until the server closes or falls silent. */
export async function raw(
  port: number,
  bytes: Buffer | string,
  options: {
    readonly halfClose?: boolean;
    readonly first?: number;
    readonly silence?: number;
  } = {},
): Promise<Buffer> {
  const { halfClose = false, first = 5000, silence = 300 } = options;
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const pieces: Buffer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let timer = setTimeout(resolve, first);
  socket.on('data', (piece) => {
    pieces.push(piece);
    clearTimeout(timer);
    timer = setTimeout(resolve, silence);
  });
  for (const event of ['end', 'close'] as const) socket.on(event, () => resolve());
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNREFUSED') reject(error);
  });
  if (halfClose) socket.end(bytes);
  else socket.write(bytes);
  await promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
  return Buffer.concat(pieces);
}

function dial({
  port,
  address = '127.0.0.1',
  silence = patience,
  t,
}: Pick<RequestOptions, 'port' | 'address' | 'silence' | 't'>): Wire {
  const wire = new Wire(connect(port, address), silence);
  t?.teardown(() => wire.socket.destroy());
  return wire;
}

function headBytes(options: RequestOptions): Buffer {
  const { target, method = 'GET', version = '1.1', fields = [], host, payload } = options;
  const { address = '127.0.0.1', port } = options;
  const hasHost = host === false || valuesOf(fields, 'host').length > 0;
  const all: Field[] = hasHost ? [...fields] : [['Host', host ?? `${address}:${port}`], ...fields];
  const head = formatHead(`${method} ${target} HTTP/${version}`, all);
  return Buffer.concat([head, Buffer.from(payload ?? '')]);
}
