import { readFileSync } from 'node:fs';
import { getSystemErrorMessage } from 'node:util';
import { CacheError, errnoOf } from '../errors.ts';

/**
 * The text of a configuration file.
 *
 * @throws CacheError `config` that says in words why it cannot be read, or on which line it is
 * not UTF-8.
 */
export function readText(path: string): string {
  const bytes = readBytes(path);
  const text = decode(bytes);
  if (text !== undefined) return text;
  const reason = `line ${firstBadLine(bytes)}: the bytes are not UTF-8`;
  throw new CacheError('config', { verb: 'read', thing: path, reason });
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new CacheError('config', { verb: 'read', thing: path, reason: inWords(cause), cause });
  }
}

function inWords(error: unknown): string {
  if (errnoOf(error) === 'EISDIR') return 'it is a directory';
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') {
    return getSystemErrorMessage(error.errno);
  }
  return error instanceof Error ? error.message : String(error);
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    // A byte order mark is kept, for parseConfFile to refuse.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** No byte of a longer character is a newline, so lines can be decoded one by one. */
function firstBadLine(bytes: Buffer): number {
  let line = 1;
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    if (decode(bytes.subarray(start, end)) === undefined) return line;
    start = end + 1;
    line += 1;
  }
  return line;
}
