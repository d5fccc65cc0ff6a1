import type { Socket } from 'node:net';

/** The longest interim head we are ready to look through. */
const MAX_INTERIM = 16 * 1024;

// All of 1xx but 101, which changes the protocol and was not asked for.
const status = 'HTTP\\/1\\.[01] 1(?!01)\\d\\d(?: [^\\r\\n]*)?';
/** A whole interim head, with its fields. */
const WHOLE = new RegExp(`^${status}\\r\\n(?:[^\\r\\n]+\\r\\n)*\\r\\n`);
/** What such a head may begin with, once it has a status. */
const BEGINNING = new RegExp(`^${status}(?:\\r\\n[^\\r\\n]+)*(?:\\r(?:\\n\\r?)?)?$`);
const SHORTEST = 'HTTP/1.1 100';

/**
 * Hides interim answers from the reader of a socket. A client must be able to parse the ones it
 * did not ask for (RFC 9110 section 15.2); undici takes an unasked `100 Continue` for a broken
 * server and closes the connection.
 *
 * Only the bytes that follow a request are looked at: with one request at a time on a connection,
 * these are a head. Bodies pass untouched.
 */
export function hideInterim(socket: Socket): void {
  const read = socket.read.bind(socket);
  const write = socket.write.bind(socket) as (...parameters: unknown[]) => boolean;
  let headIsNext = false;
  let held: Buffer = Buffer.alloc(0);

  socket.write = (...parameters: unknown[]) => {
    headIsNext = true;
    return write(...parameters);
  };
  socket.read = (size?: number) => {
    for (;;) {
      const chunk = read(size) as Buffer | null;
      if (!headIsNext || chunk === null) return chunk;
      const rest = withoutInterim(Buffer.concat([held, chunk]));
      if (rest.length > 0 && !mayBecomeInterim(rest)) {
        headIsNext = false;
        held = Buffer.alloc(0);
        return rest;
      }
      held = rest;
    }
  };
}

function withoutInterim(bytes: Buffer): Buffer {
  let rest = bytes;
  for (;;) {
    const [head] = WHOLE.exec(rest.toString('latin1', 0, MAX_INTERIM)) ?? [];
    if (head === undefined) return rest;
    rest = rest.subarray(head.length);
  }
}

function mayBecomeInterim(bytes: Buffer): boolean {
  if (bytes.length > MAX_INTERIM) return false;
  const text = bytes.toString('latin1');
  return BEGINNING.test(text + SHORTEST.slice(text.length));
}
