import ini from 'ini';
import { CacheError } from '../errors.ts';
import { rightSpelling } from './key-names.ts';
import { endOfShellWord } from './shell-word.ts';

// OpenRC sources the file as shell and we read it ourselves. So what is read here is the small
// part of the shell's grammar (POSIX 2.2, 2.9.1) whose meaning does not depend on who reads it;
// everything else is an error rather than a difference. That goes for `export` too, which adds
// nothing to a file that the daemon reads itself.

/** One `KEY="value"` of the file. */
export interface ConfLine {
  readonly key: string;
  readonly value: string;
  /** Where its key stands, counted from 1. */
  readonly line: number;
}

/**
 * The keys of a configuration file in their order, without those that are OpenRC's own.
 *
 * @throws CacheError `config` that names the file, the line and the key.
 */
export function parseConfFile(text: string, path: string): readonly ConfLine[] {
  const cursor: Cursor = { text, path, at: 0, line: 1 };
  refuseForeignText(cursor);
  const lines: ConfLine[] = [];
  while (cursor.at < text.length) {
    if (take(cursor, /[ \t]*(?:#[^\n]*)?(?:\n|$)/y) !== undefined) continue;
    const { line } = cursor;
    const key = readKey(cursor);
    if (isOpenRcs(key)) skipValue(cursor, key);
    else addLine(lines, { key, line, value: readValue(cursor, key) }, cursor);
    endLine(cursor, key);
  }
  return readByIni(lines, path);
}

/** Where reading stands; `line` is the line of `at`. */
interface Cursor {
  readonly text: string;
  readonly path: string;
  at: number;
  line: number;
}

interface Problem {
  readonly reason: string;
  readonly key?: string;
  readonly line?: number;
}

function fail({ path, line: here }: Cursor, { reason, key, line = here }: Problem): never {
  const where = key === undefined ? `line ${line}` : `line ${line}: ${key}`;
  throw new CacheError('config', { verb: 'read', thing: path, reason: `${where}: ${reason}` });
}

/** What the sticky pattern matches at the cursor, which moves behind it. */
function take(cursor: Cursor, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = cursor.at;
  const match = pattern.exec(cursor.text) ?? undefined;
  if (match !== undefined) moveTo(cursor, cursor.at + match[0].length);
  return match;
}

function moveTo(cursor: Cursor, at: number): void {
  cursor.line += newlines(cursor.text.slice(cursor.at, at));
  cursor.at = at;
}

function newlines(text: string): number {
  return text.split('\n').length - 1;
}

function refuseForeignText(cursor: Cursor): void {
  const { text } = cursor;
  if (text.startsWith('\ufeff')) {
    fail(cursor, { reason: 'the file begins with a byte order mark, save it as UTF-8 without' });
  }
  const at = text.search(/[\0\r]/);
  if (at < 0) return;
  const reason =
    text[at] === '\0'
      ? 'a NUL byte'
      : 'a carriage return, which the shell would take into the value: run dos2unix on the file';
  fail(cursor, { reason, line: 1 + newlines(text.slice(0, at)) });
}

function readKey(cursor: Cursor): string {
  const key = take(cursor, /[ \t]*([A-Za-z_][A-Za-z0-9_]*)=/y)?.[1];
  if (key !== undefined) return key;
  const exported = take(cursor, /[ \t]*(?:export|readonly)[ \t]+([A-Za-z_][A-Za-z0-9_]*)/y)?.[1];
  if (exported !== undefined) {
    fail(cursor, { key: exported, reason: 'write KEY="value" alone, without export or readonly' });
  }
  const spaced = take(cursor, /[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]+=/y)?.[1];
  if (spaced !== undefined) fail(cursor, { key: spaced, reason: noSpaces });
  return fail(cursor, { reason: 'this is no KEY="value" and no comment' });
}

const noSpaces = 'write KEY="value" without spaces around the =';

/** Whether the key is none of ours: OpenRC's names are lower case or begin with SSD_. */
function isOpenRcs(key: string): boolean {
  return (key === key.toLowerCase() && rightSpelling(key) === undefined) || key.startsWith('SSD_');
}

function skipValue(cursor: Cursor, key: string): void {
  const end = endOfShellWord(cursor.text, cursor.at);
  if (end === undefined) fail(cursor, { key, reason: 'a quote or bracket is never closed' });
  moveTo(cursor, end);
}

function addLine(lines: ConfLine[], added: ConfLine, cursor: Cursor): void {
  const { key, line } = added;
  const spelled = rightSpelling(key);
  if (spelled !== undefined) fail(cursor, { key, line, reason: `write it as ${spelled}` });
  const earlier = lines.find((known) => known.key === key);
  if (earlier !== undefined) {
    fail(cursor, { key, line, reason: `it is already set on line ${earlier.line}` });
  }
  lines.push(added);
}

function readValue(cursor: Cursor, key: string): string {
  const quote = take(cursor, /["']/y)?.[0];
  if (quote === undefined) return readBareWord(cursor, key);
  const { line } = cursor;
  const end = cursor.text.indexOf(quote, cursor.at);
  if (end < 0) fail(cursor, { key, reason: `the closing ${quote} is missing` });
  const value = cursor.text.slice(cursor.at, end);
  const bad = value.search(
    quote === '"' ? /[$`\\\x01-\x08\x0b-\x1f\x7f]/ : /[\x01-\x08\x0b-\x1f\x7f]/,
  );
  if (bad >= 0) {
    const reason = unreadable(value.charAt(bad));
    fail(cursor, { key, line: line + newlines(value.slice(0, bad)), reason });
  }
  moveTo(cursor, end + 1);
  return value;
}

function readBareWord(cursor: Cursor, key: string): string {
  const word = take(cursor, /[\w./:@%+,=^-]*/y)?.[0] ?? '';
  const next = String.fromCodePoint(cursor.text.codePointAt(cursor.at) ?? 10);
  if (/[ \t\n]/.test(next)) return word;
  if (next === '"' || next === "'") fail(cursor, { key, reason: 'quote the whole value' });
  return fail(cursor, { key, reason: unreadable(next) });
}

function unreadable(character: string): string {
  if (/[$`\\]/.test(character)) {
    return `the shell would not take ${character} as it is: put the value between single quotes`;
  }
  if (character < ' ' || character === '\x7f') return 'it holds a control character';
  return `write KEY="value", an unquoted value cannot hold ${character}`;
}

/** A line is over after its value: the shell would run what follows, or add it to the value. */
function endLine(cursor: Cursor, key: string): void {
  const { text, at, line } = cursor;
  if (take(cursor, /(?:[ \t]+#[^\n]*|[ \t]*)(?:\n|$)/y) !== undefined) return;
  if (text.charAt(at - 1) === '=') fail(cursor, { key, line, reason: noSpaces });
  const reason = 'only white space and a comment may follow the value, is a quote missing?';
  fail(cursor, { key, line, reason });
}

/**
 * The values as `ini` reads them. It has no line numbers, skips what it cannot read, cuts bare
 * values at ; and #, knows no value of several lines and takes quotes for JSON: so it is given
 * one line of JSON for each key, and must return what went in.
 */
function readByIni(lines: readonly ConfLine[], path: string): readonly ConfLine[] {
  const read = ini.parse(lines.map(({ key, value }) => `${key}=${asciiJson(value)}`).join('\n'));
  for (const { key, value, line } of lines) {
    // ini makes a boolean of "true" and "false", and null of "null".
    if (String(read[key]) === value) continue;
    const reason = `line ${line}: ${key}: ini reads another value`;
    throw new CacheError('config', { verb: 'read', thing: path, reason });
  }
  return lines;
}

/** ini's patterns end a line at U+2028 too, which JSON leaves as it is. */
function asciiJson(value: string): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
