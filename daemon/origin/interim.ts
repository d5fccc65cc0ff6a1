import type { Socket } from 'node:net';

/** The longest interim head we are ready to look through. */
const MAX_INTERIM = 16 * 1024;

/** A whole interim head, with its fields. */
const CONTINUE = /^HTTP\/1\.[01] 100(?: [^\r\n]*)?\r\n(?:[^\r\n]+\r\n)*\r\n/;
/** What such a head may begin with. */
const BEGINNING = /^HTTP\/1\.[01] 100(?: [^\r\n]*)?(?:\r\n[^\r\n]+)*(?:\r(?:\n\r?)?)?$/;
const LONGEST_STATUS = 'HTTP/1.1 100'.length;

/**
 * Hides `100 Continue` from the reader of a socket. A client must be able to parse interim
 * responses it did not ask for (RFC 9110 section 15.2); undici passes over 102 and 103 but takes
 * an unasked 100 for a broken server and closes the connection.
 *
 * Only the bytes that follow a request are looked at: with one request at a time on a connection,
 * these are a head. Bodies pass untouched.
 */
export function hideContinue(socket: Socket): void {
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
      const rest = withoutContinue(Buffer.concat([held, chunk]));
      if (rest.length > 0 && !mayBecomeContinue(rest)) {
        headIsNext = false;
        held = Buffer.alloc(0);
        return rest;
      }
      held = rest;
    }
  };
}

function withoutContinue(bytes: Buffer): Buffer {
  let rest = bytes;
  for (;;) {
    const [head] = CONTINUE.exec(rest.toString('latin1', 0, MAX_INTERIM)) ?? [];
    if (head === undefined) return rest;
    rest = rest.subarray(head.length);
  }
}

function mayBecomeContinue(bytes: Buffer): boolean {
  if (bytes.length > MAX_INTERIM) return false;
  const text = bytes.toString('latin1');
  const status = text.slice(0, LONGEST_STATUS);
  if (text.length <= LONGEST_STATUS) {
    return ['HTTP/1.1 100', 'HTTP/1.0 100'].some((start) => start.startsWith(status));
  }
  return BEGINNING.test(text);
}
