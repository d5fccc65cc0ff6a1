const signs = "[!#$%&'*+\\-.^_`|~\\dA-Za-z]";
const quoted = '"(?:[\\t !#-\\[\\]-~\\x80-\\xff]|\\\\[\\t -~\\x80-\\xff])*"';
// Node's parser lets names and values be empty, but for a name at the very end.
const extension = `;(?!\\r)${signs}*(?:=${signs}*(?:${quoted})?)?`;

/** RFC 9112 section 7.1.1, without the white space that it calls bad. */
const sizeLine = new RegExp(`([\\da-fA-F]+)((?:${extension})*)\\r\\n`, 'y');
const trailerLine = new RegExp(`(${signs}+):[\\t -~\\x80-\\xff]*\\r\\n`, 'y');

/** What may not be told behind the body that it is about (RFC 9110 section 6.5.1). */
const forbidden = ['content-length', 'transfer-encoding'];

/** Where a chunked body that begins at `start` ends; undefined when it is none, or too long. */
export function chunkedEnd(stream: string, start: number, limit: number): number | undefined {
  let at = start;
  let bytes = 0;
  for (;;) {
    sizeLine.lastIndex = at;
    const [line, digits = ''] = sizeLine.exec(stream) ?? [];
    if (line === undefined) return undefined;
    at += line.length;
    const size = Number.parseInt(digits, 16);
    if (size === 0) return trailersEnd(stream, at);
    bytes += size;
    if (bytes > limit || !stream.startsWith('\r\n', at + size)) return undefined;
    at += size + 2;
  }
}

function trailersEnd(stream: string, start: number): number | undefined {
  let at = start;
  while (!stream.startsWith('\r\n', at)) {
    trailerLine.lastIndex = at;
    const [line, name = ''] = trailerLine.exec(stream) ?? [];
    if (line === undefined || forbidden.includes(name.toLowerCase())) return undefined;
    at += line.length;
  }
  return at + 2;
}
