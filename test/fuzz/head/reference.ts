import { isHostField } from '../../../daemon/http/fields.ts';
import { chunkedEnd } from './chunks.ts';

// RFC 9112 as strictly as it can be read, where a recipient may choose: what two readers could take
// for different messages is none.

/** A request that nothing is wrong with. */
export interface Good {
  readonly kind: 'request';
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly fields: readonly Field[];
  /** Nothing behind it on its connection is a request. */
  readonly last: boolean;
  /** It may be answered with 100 first. */
  readonly expects: boolean;
}

/** Something to be refused once, with which the connection ends. */
interface Refused {
  readonly kind: 'refused';
  readonly why: string;
  /** It may be answered with 100 first. */
  readonly expects: boolean;
}

/** What a stream of bytes holds, in order; nothing follows what is refused. */
export type Part = Good | Refused;

/** A field line, the name in lower case. */
export type Field = readonly [name: string, value: string];

const MAX_HEAD = 16 * 1024;
const MAX_BODY = 64 * 1024;

// Node's parser takes more than one space for one, which section 3 lets a server do.
const requestLine = /^([!#$%&'*+\-.^_`|~\dA-Za-z]+) +([!-~]+) +HTTP\/(\d\.\d)$/;
// The path, or the authority, may still be none: that is found when the request is whole.
const requestTarget =
  /^(?:\/|\*|[A-Za-z]+:\/\/(?![^/?]*@@)[A-Za-z\d\-._~!$&'()*+,;=:[\]%@]*(?:[/?]|$))/;
const fieldLine =
  /^([!#$%&'*+\-.^_`|~\dA-Za-z]+):[ \t]*((?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?)[ \t]*$/;

/** Reads a whole stream, after which the client says no more. */
export function partsOf(stream: string): readonly Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (;;) {
    // RFC 9112 section 2.2: empty lines in front of a request line are ignored, and by Node's parser
    // whatever they are made of.
    while ('\r\n'.includes(stream.charAt(at)) && at < stream.length) at += 1;
    if (at === stream.length) return parts;
    const { part, end } = requestAt(stream, at);
    parts.push(part);
    if (part.kind === 'refused' || part.last) return parts;
    at = end;
  }
}

interface Read {
  readonly part: Part;
  readonly end: number;
}

function refused(why: string, head: string): Read {
  const expects = /^expect:.*100-continue/im.test(head);
  return { part: { kind: 'refused', why, expects }, end: -1 };
}

function requestAt(stream: string, start: number): Read {
  const end = stream.indexOf('\r\n\r\n', start);
  if (end < 0) return refused('a head without its end', stream.slice(start));
  const head = stream.slice(start, end);
  if (head.length > MAX_HEAD) return refused('a head that is too long', head);
  const [line = '', ...lines] = head.split('\r\n');
  const [, method = '', target = '', version = ''] = requestLine.exec(line) ?? [];
  if (method === '') return refused('a request line that is none', head);
  const fields = lines.map(fieldOf);
  if (!fields.every((field) => field !== undefined)) {
    return refused('a field line that is none', head);
  }
  const why = refusalOf({ method, target, version, fields });
  if (why !== undefined) return refused(why, head);
  const body = bodyOf(stream, { method, target, version, fields, start: end + 4 });
  return body ?? refused('a body that is none', head);
}

function fieldOf(line: string): Field | undefined {
  // Here Node's parser takes no tab for white space.
  if (/^transfer-encoding:.*\t *$/i.test(line)) return undefined;
  const [, name, value = ''] = fieldLine.exec(line) ?? [];
  return name === undefined ? undefined : [name.toLowerCase(), value];
}

/** The values of the field lines of that name, in lower case. */
export function valuesOf(fields: readonly Field[], name: string): readonly string[] {
  return fields.filter(([key]) => key === name).map(([, value]) => value);
}

interface Head {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly fields: readonly Field[];
}

/** Why the connection ends with this head, if it does. */
function refusalOf({ method, target, version, fields }: Head): string | undefined {
  if (version !== '1.0' && version !== '1.1') return 'a version';
  if (method !== 'GET' && method !== 'HEAD') return 'a method';
  if (!requestTarget.test(target)) return 'a target that is none';
  const hosts = valuesOf(fields, 'host');
  if (hosts.length > 1 || (hosts.length === 0 && version === '1.1')) return 'the number of Hosts';
  if (!hosts.every(isHostField)) return 'a Host that is none';
  const codings = valuesOf(fields, 'transfer-encoding');
  const lengths = valuesOf(fields, 'content-length');
  if (codings.length > 0 && (version === '1.0' || lengths.length > 0)) return 'two framings';
  if (codings.length > 1 || (codings[0] ?? 'chunked').toLowerCase() !== 'chunked')
    return 'a coding';
  if (lengths.length > 1 || !/^\d+$/.test(lengths[0] ?? '0')) return 'a length that is none';
  const hasBody = codings.length > 0 || Number(lengths[0] ?? 0) > 0;
  if (hasBody && valuesOf(fields, 'upgrade').length > 0) return 'an upgrade with a body';
  return Number(lengths[0] ?? 0) > MAX_BODY ? 'a body that is too long' : undefined;
}

function bodyOf(
  stream: string,
  { start, ...head }: Head & { readonly start: number },
): Read | undefined {
  const { method, target, version, fields } = head;
  const length = Number(valuesOf(fields, 'content-length')[0] ?? 0);
  const isChunked = valuesOf(fields, 'transfer-encoding').length > 0;
  const isExpected = valuesOf(fields, 'expect').some((value) => /\b100-continue\b/i.test(value));
  const expects = isExpected && version === '1.1';
  const end = isChunked ? chunkedEnd(stream, start, MAX_BODY) : start + length;
  if (end === undefined || end > stream.length) return undefined;
  // A client that waits for leave to send nothing may send anything.
  const last = isLast({ version, fields }) || (expects && !isChunked && length === 0);
  return { part: { kind: 'request', method, target, version, fields, last, expects }, end };
}

// RFC 9112 section 9.3; an Upgrade, to whatever it is, is the end of HTTP on its connection.
function isLast({ version, fields }: Pick<Head, 'version' | 'fields'>): boolean {
  // Node's parser heeds Proxy-Connection as well, which old clients send to a proxy.
  const options = [...valuesOf(fields, 'connection'), ...valuesOf(fields, 'proxy-connection')]
    .flatMap((value) => value.split(','))
    .map((option) => option.trim().toLowerCase());
  if (valuesOf(fields, 'upgrade').length > 0) return true;
  // Of a client of HTTP/1.0 that says both, Node's parser believes the one that it need not say.
  return version === '1.0' ? !options.includes('keep-alive') : options.includes('close');
}
