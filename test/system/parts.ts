import type { Answer } from '../helpers/client.ts';
import { parseHead, valuesOf } from '../helpers/fields.ts';

/** One part of a multipart/byteranges body. */
export interface BodyPart {
  readonly range: string | undefined;
  readonly type: string | undefined;
  readonly bytes: Buffer;
}

/** Takes a multipart/byteranges answer apart as RFC 2046 section 5.1 has it. */
export function partsOf(answer: Answer): BodyPart[] {
  const type = answer.header('content-type') ?? '';
  const boundary = /^multipart\/byteranges; boundary=([\w'()+,./:=?-]{1,70})$/.exec(type)?.[1];
  if (boundary === undefined) throw new Error(`Not multipart/byteranges: ${type}`);
  const text = answer.body.toString('latin1');
  const [preamble, ...pieces] = text.split(`\r\n--${boundary}`);
  if (preamble !== '' || pieces.pop() !== '--\r\n') throw new Error('No clean first or last line');
  return pieces.map((piece) => {
    const end = piece.indexOf('\r\n\r\n');
    const { fields } = parseHead(Buffer.from(`part${piece.slice(0, end)}`, 'latin1'));
    return {
      range: valuesOf(fields, 'content-range')[0],
      type: valuesOf(fields, 'content-type')[0],
      bytes: Buffer.from(piece.slice(end + 4), 'latin1'),
    };
  });
}
