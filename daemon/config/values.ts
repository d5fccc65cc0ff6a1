import { isAbsolute, resolve } from 'node:path';
import picomatch from 'picomatch';
import { parseDuration, parseSize } from '../units.ts';
import { suggestion } from './nearest.ts';
import { refuse, words } from './refuse.ts';

/** How much the log tells, the least first. */
export const logLevels = ['error', 'warn', 'info', 'debug'] as const;

/** One of `logLevels`. */
export type LogLevel = (typeof logLevels)[number];

const hour = 3_600_000;
const day = 24 * hour;

/** One of `logLevels`, or what is meant by a near miss. */
export function parseLogLevel(text: string): LogLevel {
  const level = logLevels.find((known) => known === text);
  return level ?? refuse(text, `write one of ${logLevels.join(' ')}${suggestion(text, logLevels)}`);
}

/** `yes` or `no`. */
export function parseYesNo(text: string): boolean {
  if (text === 'yes' || text === 'no') return text === 'yes';
  return refuse(text, 'write yes or no');
}

/** The name or number of a user or group. */
export function parseAccount(text: string): string {
  return /^\w[\w.-]*\$?$/.test(text)
    ? text
    : refuse(text, 'write the name or number of an account');
}

/** An absolute path without `.`, `..` and a trailing `/`. */
export function parsePath(text: string): string {
  if (text !== text.trim()) refuse(text, 'the path begins or ends with white space');
  return isAbsolute(text) ? resolve(text) : refuse(text, `"${text}" is no absolute path`);
}

/** The directory of the cache: any but the root of the file system. */
export function parseCacheDirectory(text: string): string {
  const path = parsePath(text);
  return path === '/' ? refuse(text, 'the cache needs a directory of its own') : path;
}

/** An absolute path that fits the kernel's `sun_path` with its closing NUL (unix(7)). */
export function parseSocketPath(text: string): string {
  const path = parsePath(text);
  const bytes = Buffer.byteLength(path);
  return bytes <= 107 ? path : refuse(text, `a socket's path has at most 107 bytes, not ${bytes}`);
}

/** Absolute paths, separated by white space. */
export function parsePaths(text: string): readonly string[] {
  return words(text).map(parsePath);
}

/** Globs below a repository's root, separated by white space. */
export function parseGlobs(text: string): readonly string[] {
  return words(text).map(parseGlob);
}

function parseGlob(glob: string): string {
  if (glob.startsWith('/')) refuse(glob, `"${glob}": leave out the / at its beginning`);
  if (glob.startsWith('!')) refuse(glob, `"${glob}": a glob cannot be negated`);
  try {
    // Without it an unbalanced glob would match its own characters, and so nothing.
    picomatch.makeRe(glob, { strictBrackets: true });
  } catch {
    refuse(glob, `"${glob}" has an unbalanced bracket`);
  }
  return glob;
}

/** A duration that is waited for. */
export function parseDelay(text: string): number {
  const delay = parseDuration(text);
  // A timer of Node's beyond 2^31 ms fires at once.
  return delay <= day ? delay : refuse(text, 'write at most 1d');
}

/** How long somebody is waited for: never for ever, and no shorter than a network takes. */
export function parseTimeout(text: string): number {
  const time = parseDuration(text);
  return time >= 1000 && time <= hour ? time : refuse(text, 'write a time from 1s to 1h');
}

/** The bytes of a head: with fewer hardly any request fits, and each connection may hold as many. */
export function parseHeadSize(text: string): number {
  const size = parseSize(text);
  return size >= 1024 && size <= 256 * 1024
    ? size
    : refuse(text, 'write a size from 1K to 256K, such as 16K');
}

/** An age after which files are removed: too short a one would empty the cache. */
export function parseCullAge(text: string): number {
  const age = parseDuration(text);
  return age >= day ? age : refuse(text, 'it is less than a day, write a unit as in 90d');
}

/** The most bytes on disk: too small a number would empty the cache. */
export function parseMaxSize(text: string): number {
  const size = parseSize(text);
  return size >= 1024 ** 2 ? size : refuse(text, 'it is less than 1M, write a unit as in 200G');
}

/** A number of things of which there must be one at least. */
export function parseCount(text: string): number {
  const count = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= 1_000_000
    ? count
    : refuse(text, 'write a number from 1 to 1000000');
}
