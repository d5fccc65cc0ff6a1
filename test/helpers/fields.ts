/** A header field as it stood on the wire. */
export type Field = readonly [name: string, value: string];

/** The first line and the fields of an HTTP/1.1 head. */
export function parseHead(head: Buffer): { start: string; fields: Field[] } {
  const [start = '', ...lines] = head.toString('latin1').trimEnd().split('\r\n');
  return { start, fields: lines.map(parseField) };
}

/** The values of every field of that name, in order. */
export function valuesOf(fields: readonly Field[], name: string): string[] {
  const wanted = name.toLowerCase();
  return fields.filter(([key]) => key.toLowerCase() === wanted).map(([, value]) => value);
}

/** A head on the wire. */
export function formatHead(start: string, fields: readonly Field[]): Buffer {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${start}\r\n${lines.join('')}\r\n`);
}

function parseField(line: string): Field {
  const colon = line.indexOf(':');
  if (colon < 1) throw new Error(`Not a field line: ${JSON.stringify(line)}`);
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}
