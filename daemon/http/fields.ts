import { isIPv6 } from 'node:net';

/** Name, value, name, value, … as node's `rawHeaders` gives them: every line, in order. */
export type RawFields = readonly string[];

/** What a request's Cache-Control asks for, as far as it concerns us (RFC 9111 section 5.2.1). */
export interface RequestCacheControl {
  noCache: boolean;
  onlyIfCached: boolean;
  maxAge?: number;
}

// RFC 9110 sections 5.6.2 and 5.6.4.
const directive = /^([!#$%&'*+\-.^_`|~\dA-Za-z]+)(?:=(?:([!#$%&'*+\-.^_`|~\dA-Za-z]+)|"(.*)"))?$/;

// RFC 3986 section 3.2.2; an IPv4 address is a reg-name by its characters.
const regName = /^(?:[A-Za-z\d\-._~!$&'()*+,;=]|%[\dA-Fa-f]{2})+$/;
const ipvFuture = /^[vV][\dA-Fa-f]+\.[A-Za-z\d\-._~!$&'()*+,;=:]+$/;

/** The value of every line of that field, in order; `name` is given in lower case. */
export function fieldLines(fields: RawFields, name: string): string[] {
  const lines: string[] = [];
  // Every request is searched for a dozen fields that it lacks: no work is done for those.
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const field = fields[at] as string;
    // RFC 9110 section 5.1: field names are case-insensitive.
    if (field.length === name.length && field.toLowerCase() === name) {
      lines.push(fields[at + 1] as string);
    }
  }
  return lines;
}

/** Whether a field of one of these names, in lower case, is there. */
export function hasField(fields: RawFields, names: ReadonlySet<string>): boolean {
  for (let at = 0; at < fields.length; at += 2) {
    if (names.has((fields[at] as string).toLowerCase())) return true;
  }
  return false;
}

/** All lines of that field as one list (RFC 9110 section 5.3); `undefined` if it is absent. */
export function fieldValue(fields: RawFields, name: string): string | undefined {
  const lines = fieldLines(fields, name);
  return lines.length === 0 ? undefined : lines.join(', ');
}

/**
 * The members of a list (RFC 9110 section 5.6.1), without the white space around them and without
 * empty ones. A comma inside a quoted-string or a comment (Via has them) separates nothing.
 *
 * From a quote or parenthesis that is never closed on, every comma counts: a malformed member
 * must not hide the ones behind it. Not for entity-tags, in which a backslash escapes nothing.
 */
export function listMembers(value: string): string[] {
  const members: string[] = [];
  let start = 0;
  let at = 0;
  let wellFormed = true;
  while (at < value.length) {
    if (value[at] === ',') {
      members.push(value.slice(start, at));
      start = at + 1;
    }
    const end: number | undefined = wellFormed ? enclosureEnd(value, at) : at + 1;
    wellFormed &&= end !== undefined;
    at = end ?? at + 1;
  }
  members.push(value.slice(start));
  return members.map(trimWhitespace).filter((member) => member !== '');
}

/** The text without the optional white space (RFC 9110 section 5.6.3) around it. */
export function trimWhitespace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhitespace(text[start])) start += 1;
  while (end > start && isWhitespace(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

/**
 * The directives of a request's Cache-Control; what is unknown or malformed is ignored. An
 * argument may be a token or a quoted-string (RFC 9111 section 5.2), and of several `max-age` the
 * first counts, as section 4.2.1 has it for responses.
 */
export function parseCacheControl(value: string | undefined): RequestCacheControl {
  const found: RequestCacheControl = { noCache: false, onlyIfCached: false };
  if (value === undefined) return found;
  for (const member of listMembers(value)) {
    const [, name = '', token, quoted] = directive.exec(member) ?? [];
    switch (name.toLowerCase()) {
      case 'no-cache':
        found.noCache = true;
        break;
      case 'only-if-cached':
        found.onlyIfCached = true;
        break;
      case 'max-age': {
        const maxAge = deltaSeconds(token ?? quoted?.replaceAll(/\\(.)/g, '$1') ?? '');
        if (maxAge !== undefined) found.maxAge ??= maxAge;
      }
    }
  }
  return found;
}

/** Whether a Host field's value is `uri-host [ ":" port ]` (RFC 9110 section 7.2), and not empty. */
export function isHostField(value: string): boolean {
  return hostAndPort(value) !== undefined;
}

/**
 * The host in lower case (RFC 3986 section 6.2.2.1), without brackets and without the dot at the
 * end, and the port if there is one; `undefined` if the value is not of a Host field's form.
 */
export function splitHost(value: string): { host: string; port?: number } | undefined {
  const parts = hostAndPort(value);
  if (parts === undefined) return undefined;
  const host = parts.host.toLowerCase().replace(/\.$/, '');
  if (host === '') return undefined;
  return parts.port === '' ? { host } : { host, port: Number(parts.port) };
}

// The end of the quoted-string or comment that begins here, the next position where none does,
// and undefined for one that is never closed (RFC 9110 sections 5.6.4 and 5.6.5).
function enclosureEnd(value: string, start: number): number | undefined {
  const opener = value[start];
  if (opener !== '"' && opener !== '(') return start + 1;
  let depth = 1;
  for (let at = start + 1; at < value.length; at += 1) {
    const character = value[at];
    if (character === '\\') at += 1;
    else if (character === (opener === '"' ? '"' : ')')) depth -= 1;
    else if (character === opener) depth += 1;
    if (depth === 0) return at + 1;
  }
  return undefined;
}

function isWhitespace(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

// RFC 9111 section 1.2.2: what is too great to represent is the greatest that can be.
function deltaSeconds(text: string): number | undefined {
  return /^\d+$/.test(text) ? Math.min(Number(text), Number.MAX_SAFE_INTEGER) : undefined;
}

function hostAndPort(value: string): { host: string; port: string } | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d*))?$/.exec(value);
  if (match === null) return undefined;
  const [, literal, name = '', port = ''] = match;
  const valid = literal === undefined ? regName.test(name) : isLiteral(literal);
  return valid && Number(port) <= 65_535 ? { host: literal ?? name, port } : undefined;
}

function isLiteral(address: string): boolean {
  // Node takes a zone (`fe80::1%eth0`), which RFC 3986 section 3.2.2 does not.
  return (isIPv6(address) && !address.includes('%')) || ipvFuture.test(address);
}
