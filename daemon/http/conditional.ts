import { parseHttpDate } from './date.ts';
import { fieldLines, fieldValue, type RawFields, trimWhitespace } from './fields.ts';

/** What identifies one state of a representation. */
export interface Validators {
  /** The entity-tag as sent, with its quotes and perhaps `W/`; any other form matches nothing. */
  readonly etag?: string;
  /** Seconds since the epoch. */
  readonly lastModified?: number;
}

/** Send the representation, answer 304, or answer 412. */
export type Precondition = 'proceed' | 'not-modified' | 'failed';

// RFC 9110 section 8.8.3; a backslash is a character like any other.
const entityTag = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/;

/**
 * What the preconditions of a GET or HEAD make of a representation that exists, in the order of
 * RFC 9110 section 13.2.2. If-Range is the last of them: see `ifRangeMatches`.
 *
 * A member that is not an entity-tag matches nothing, and the rest of its list still counts, as in
 * nginx: garbage in If-None-Match costs a client its 304, garbage in If-Match gets 412. The field
 * is there all the same, so the date beside it stays ignored.
 */
export function evaluatePreconditions(fields: RawFields, validators: Validators): Precondition {
  const { etag, lastModified } = validators;
  const match = fieldValue(fields, 'if-match');
  const noneMatch = fieldValue(fields, 'if-none-match');
  const unmodifiedSince = dateField(fields, 'if-unmodified-since');
  const modifiedSince = dateField(fields, 'if-modified-since');

  // Step 1; section 13.1.1 wants the strong comparison.
  if (match !== undefined && !lists(match, (tag) => isSameStrong(tag, etag))) return 'failed';
  // Step 2.
  if (match === undefined && isLater(lastModified, unmodifiedSince) === true) return 'failed';
  // Step 3; section 13.1.2 wants the weak comparison.
  if (noneMatch !== undefined && lists(noneMatch, (tag) => isSameWeak(tag, etag))) {
    return 'not-modified';
  }
  // Step 4; section 13.1.3: not modified if the last modification is earlier or equal.
  if (noneMatch === undefined && isLater(lastModified, modifiedSince) === false) {
    return 'not-modified';
  }
  return 'proceed';
}

/**
 * Whether an If-Range lets its Range apply (RFC 9110 section 13.1.5): an entity-tag by the strong
 * comparison, a date by being exactly Last-Modified. The date counts as a strong validator, as
 * nginx has it too: apt resumes by it.
 */
export function ifRangeMatches(value: string, validators: Validators): boolean {
  if (isSameStrong(value, validators.etag)) return true;
  const date = parseHttpDate(value);
  return date !== undefined && date === validators.lastModified;
}

// RFC 9110 sections 13.1.3 and 13.1.4: a field that is not one valid date is ignored. Several
// lines are not one date, even where joined by a comma they would read as one.
function dateField(fields: RawFields, name: string): number | undefined {
  const [date, ...more] = fieldLines(fields, name);
  return date === undefined || more.length > 0 ? undefined : parseHttpDate(date);
}

// RFC 9110 sections 13.1.3 and 13.1.4: without a modification date there is no answer.
function isLater(lastModified: number | undefined, date: number | undefined): boolean | undefined {
  return lastModified === undefined || date === undefined ? undefined : lastModified > date;
}

function lists(value: string, matches: (tag: string) => boolean): boolean {
  const tags = splitTags(value);
  // RFC 9110 sections 13.1.1 and 13.1.2: `*`, alone, is any representation that exists.
  return (tags.length === 1 && tags[0] === '*') || tags.some(matches);
}

// RFC 9110 section 8.8.3: an entity-tag may hold commas, and backslashes that escape nothing.
function splitTags(value: string): string[] {
  return (value.match(/(?:"[^"]*"|[^,])+/g) ?? []).map(trimWhitespace).filter((tag) => tag !== '');
}

// RFC 9110 section 8.8.3.2: equal, and neither is weak.
function isSameStrong(tag: string, etag: string | undefined): boolean {
  return tag === etag && entityTag.test(tag) && !tag.startsWith('W/');
}

// RFC 9110 section 8.8.3.2: the opaque-tags are equal, weak or not.
function isSameWeak(tag: string, etag: string | undefined): boolean {
  return entityTag.test(tag) && tag.replace(/^W\//, '') === etag?.replace(/^W\//, '');
}
