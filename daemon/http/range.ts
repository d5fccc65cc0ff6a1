import { listMembers } from './fields.ts';

/** One member of a Range field as asked for: `first-`, `first-last` (inclusive) or `-suffix`. */
export type RangeSpec =
  | { readonly first: number; readonly last?: number }
  | { readonly suffix: number };

/** Bytes of a representation from `start` up to, but not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

// RFC 9110 section 17.15: many small ranges are an attack. zchunk and zsync ask for far fewer.
const maximumSpecs = 200;

/**
 * The members of a Range field (RFC 9110 section 14.2); `undefined` if the field is to be ignored
 * and the whole representation sent: another unit, a malformed or backward member, too many.
 */
export function parseRange(field: string): readonly RangeSpec[] | undefined {
  // RFC 9110 section 14.1: names of range units are case-insensitive. White space after the `=`
  // is allowed by erratum 7306, and is in the RFC's own example.
  const set = /^bytes=(.*)$/i.exec(field)?.[1];
  if (set === undefined) return undefined;
  const members = listMembers(set);
  if (members.length === 0 || members.length > maximumSpecs) return undefined;
  const specs = members.flatMap((member) => parseSpec(member) ?? []);
  return specs.length === members.length ? specs : undefined;
}

/**
 * The ranges of a representation of `length` bytes that were asked for; none of them means 416
 * (RFC 9110 section 15.5.17). Ranges that overlap or touch are sent as one, which section 15.3.7.2
 * allows, in the place of the first of them in the request.
 */
export function resolveRanges(specs: readonly RangeSpec[], length: number): readonly ByteRange[] {
  const wanted = specs
    .map((spec, place) => ({ ...clamp(spec, length), place }))
    .filter(({ start, end }) => start < end)
    .sort((one, other) => one.start - other.start);
  const merged: typeof wanted = [];
  for (const range of wanted) {
    const previous = merged.at(-1);
    if (previous !== undefined && range.start <= previous.end) {
      previous.end = Math.max(previous.end, range.end);
      previous.place = Math.min(previous.place, range.place);
    } else {
      merged.push(range);
    }
  }
  merged.sort((one, other) => one.place - other.place);
  return merged.map(({ start, end }) => ({ start, end }));
}

/** The Content-Range of a 206 (RFC 9110 section 14.4); the length may be unknown yet. */
export function contentRange(range: ByteRange, length: number | undefined): string {
  return `bytes ${range.start}-${range.end - 1}/${length ?? '*'}`;
}

/** The Content-Range of a 416 (RFC 9110 section 14.4), which tells the true length. */
export function unsatisfiedRange(length: number): string {
  return `bytes */${length}`;
}

function parseSpec(member: string): RangeSpec | undefined {
  const [, first = '', last = ''] = /^(\d*)-(\d*)$/.exec(member) ?? [];
  if (first === '') return last === '' ? undefined : { suffix: position(last) };
  if (last === '') return { first: position(first) };
  // RFC 9110 section 14.1.1: an int-range whose last-pos is less than its first-pos is invalid.
  // As bigints, since two positions beyond 2^53 still have an order.
  if (BigInt(last) < BigInt(first)) return undefined;
  return { first: position(first), last: position(last) };
}

// RFC 9110 section 14.1.2: recipients must anticipate large numerals and prevent overflow.
function position(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}

// An unsatisfiable range comes out empty: a first-pos at or beyond the end, a suffix of 0, any
// range of nothing (RFC 9110 section 14.1.2).
function clamp(spec: RangeSpec, length: number): { start: number; end: number } {
  if ('suffix' in spec) return { start: Math.max(length - spec.suffix, 0), end: length };
  const end = spec.last === undefined ? length : Math.min(spec.last + 1, length);
  return { start: spec.first, end };
}
