import { CacheError } from '../errors.ts';

/** A file-system name holds at most this many bytes on every file system in use. */
const MAX_COMPONENT_BYTES = 255;
const MAX_KEY_BYTES = 1024;

/** Names that begin like this are the cache's own: never a key, never forwarded. */
export const RESERVED_PREFIX = '.package-cache';

/** A request path, decoded exactly once. */
export interface ParsedPath {
  /** The decoded components; `.` and empty ones are gone. */
  readonly components: readonly string[];
  /** The same components as the client spelled them, for the sources. */
  readonly spelled: readonly string[];
  /** The path ends in `/` (or `/.`): a listing, which has no key. */
  readonly directory: boolean;
}

/**
 * Decodes the path of a request target (RFC 3986 section 2.1). `%252F` is a legal name that holds
 * the characters `%2F`, since Go's distfiles have them, so nothing is ever decoded twice.
 *
 * @throws CacheError `bad-request` for what could name a file outside the key, `not-found` for the
 * cache's own names.
 */
export function parsePath(path: string): ParsedPath {
  const components: string[] = [];
  const spelled: string[] = [];
  const raw = path.split('/');
  for (const piece of raw) {
    const component = decodeComponent(piece, path);
    if (component === '' || component === '.') continue;
    components.push(component);
    spelled.push(piece);
  }
  // Decoding makes nothing longer: most paths need not be counted.
  if (path.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(components.join('/')) > MAX_KEY_BYTES) {
    throw badPath(path, `a key has at most ${MAX_KEY_BYTES} bytes`);
  }
  const last = raw.at(-1) ?? '';
  return { components, spelled, directory: last === '' || spelled.at(-1) !== last };
}

function decodeComponent(piece: string, path: string): string {
  let component: string;
  try {
    component = piece.includes('%') ? decodeURIComponent(piece) : piece;
  } catch (cause) {
    throw badPath(path, 'it has a percent-escape that is malformed or not UTF-8', cause);
  }
  // It would be another name on disk. No client can send one, but the control socket's JSON can.
  if (!component.isWellFormed()) throw badPath(path, 'it holds half a surrogate pair');
  if (component === '..') throw badPath(path, 'it climbs with ".."');
  if (/[/\\\u0000]/.test(component)) throw badPath(path, 'a name holds "/", "\\" or NUL');
  // A UTF-16 unit is three bytes of UTF-8 at most.
  if (
    component.length * 3 > MAX_COMPONENT_BYTES &&
    Buffer.byteLength(component) > MAX_COMPONENT_BYTES
  ) {
    throw badPath(path, `a name has at most ${MAX_COMPONENT_BYTES} bytes`);
  }
  if (component.startsWith(RESERVED_PREFIX)) {
    throw new CacheError('not-found', {
      verb: 'serve',
      thing: path.slice(0, 200),
      reason: `names that begin with "${RESERVED_PREFIX}" are the cache's own`,
    });
  }
  return component;
}

function badPath(path: string, reason: string, cause?: unknown): CacheError {
  const thing = path.slice(0, 200);
  return new CacheError('bad-request', { verb: 'parse path', thing, reason, cause });
}
