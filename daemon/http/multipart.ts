import { type ByteRange, contentRange } from './range.ts';

/** One part: its head, to be followed by the bytes of its range. */
export interface MultipartPart {
  readonly head: string;
  readonly range: ByteRange;
}

/** A multipart/byteranges body: the parts, one after the other, and the tail. */
export interface Multipart {
  readonly contentType: string;
  readonly contentLength: number;
  readonly parts: readonly MultipartPart[];
  readonly tail: string;
}

/**
 * The multipart/byteranges form (RFC 9110 section 14.6) of several ranges of a representation of
 * `length` bytes and of that `type`. A request for a single
 * range must not be answered so (section 15.3.7.2).
 *
 * `boundary` consists of letters and digits, since zchunk pastes it into a regular expression.
 */
export function multipart(options: {
  ranges: readonly ByteRange[];
  length: number;
  type: string;
  boundary: string;
}): Multipart {
  const { ranges, length, boundary } = options;
  // Heads are plain ASCII, so that their length in bytes does not hang on how they are encoded.
  const type = /^[ -~]+$/.test(options.type) ? options.type : 'application/octet-stream';
  const parts = ranges.map((range) => ({
    // The first part has its CRLF too: zsync throws away the line before every delimiter.
    head: `\r\n--${boundary}\r\nContent-Type: ${type}\r\nContent-Range: ${contentRange(range, length)}\r\n\r\n`,
    range,
  }));
  const tail = `\r\n--${boundary}--\r\n`;
  const contentLength = parts.reduce(
    (sum, { head, range }) => sum + head.length + (range.end - range.start),
    tail.length,
  );
  // Unquoted and last in the field: both are what the simple parsers of clients can read.
  return { contentType: `multipart/byteranges; boundary=${boundary}`, contentLength, parts, tail };
}
