import type { Field } from '../helpers/fields.ts';
import { etag, modified } from './states.ts';

/** Bytes `first-last` of the 1000, several of them as a multipart, all of them, or none. */
export type Expected = string | readonly string[] | 'whole' | 'unsatisfiable';

/** What Range fields ask of 1000 bytes and what RFC 9110 makes of it. */
export type RangeCase = readonly [promise: string, fields: readonly Field[], Expected];

const far = '99999999999999999999';
const date = (offset: number) => new Date((modified + offset) * 1000).toUTCString();

function range(value: string): Field[] {
  return [['Range', value]];
}

const single: readonly RangeCase[] = [
  ['the first 100 bytes (14.1.2)', range('bytes=0-99'), '0-99'],
  ['bytes from the middle (14.1.2)', range('bytes=500-599'), '500-599'],
  ['the first byte (14.1.2)', range('bytes=0-0'), '0-0'],
  ['the last byte by its position (14.1.2)', range('bytes=999-999'), '999-999'],
  ['all bytes by their positions (14.1.2)', range('bytes=0-999'), '0-999'],
  ['an open range, as resumes have it (14.1.2)', range('bytes=900-'), '900-999'],
  ['an open range from the start (14.1.2)', range('bytes=0-'), '0-999'],
  ['an open range at the last byte (14.1.2)', range('bytes=999-'), '999-999'],
  ['a suffix of one byte (14.1.2)', range('bytes=-1'), '999-999'],
  ['a suffix (14.1.2)', range('bytes=-100'), '900-999'],
  ['a suffix of exactly the length (14.1.2)', range('bytes=-1000'), '0-999'],
  ['a suffix longer than the file is all of it (14.1.2)', range('bytes=-5000'), '0-999'],
  ['a suffix beyond 2^53 is all of it (14.1.2)', range(`bytes=-${far}`), '0-999'],
  ['a last position beyond the end is the end (14.1.2)', range('bytes=900-5000'), '900-999'],
  ['a last position beyond 2^53 is the end (14.1.2)', range(`bytes=5-${far}`), '5-999'],
  ['leading zeros (14.1.2)', range('bytes=0000-0004'), '0-4'],
  ['the unit in capitals (14.1)', range('BYTES=0-4'), '0-4'],
  ['white space behind the equals sign (14.2, erratum 7306)', range('bytes= 0-4'), '0-4'],
];

const unsatisfiable: readonly RangeCase[] = [
  ['a first position at the end (15.5.17)', range('bytes=1000-'), 'unsatisfiable'],
  ['a range behind the end (15.5.17)', range('bytes=1000-1001'), 'unsatisfiable'],
  ['a first position beyond 2^53 (15.5.17)', range(`bytes=${far}-`), 'unsatisfiable'],
  ['a suffix of nothing (15.5.17)', range('bytes=-0'), 'unsatisfiable'],
  ['several ranges behind the end (15.5.17)', range('bytes=1000-1001,2000-'), 'unsatisfiable'],
];

const ignored: readonly RangeCase[] = [
  ['an empty field (14.2)', range(''), 'whole'],
  ['no range (14.2)', range('bytes='), 'whole'],
  ['a last position before the first (14.1.1)', range('bytes=5-4'), 'whole'],
  ['a backward range among good ones (14.1.1)', range('bytes=0-1,5-4'), 'whole'],
  ['letters for a position (14.2)', range('bytes=x-5'), 'whole'],
  ['no hyphen (14.2)', range('bytes=5'), 'whole'],
  ['a hyphen alone (14.2)', range('bytes=-'), 'whole'],
  ['two hyphens (14.2)', range('bytes=--5'), 'whole'],
  ['hexadecimal positions (14.2)', range('bytes=0x0-0x5'), 'whole'],
  ['the form of Content-Range (14.2)', range('bytes 0-4/1000'), 'whole'],
  ['another unit (14.2)', range('items=0-4'), 'whole'],
  ['a semicolon for a comma (14.2)', range('bytes=0-4;6-9'), 'whole'],
  ['garbage among good ranges (14.2)', range('bytes=0-4,x,6-9'), 'whole'],
  [
    'two Range lines, which make no list (5.3)',
    [
      ['Range', 'bytes=0-4'],
      ['Range', 'bytes=6-9'],
    ],
    'whole',
  ],
];

const every = (count: number) =>
  Array.from({ length: count }, (_, at) => `${at * 4}-${at * 4 + 1}`);
const tiny = (count: number) => Array.from({ length: count }, (_, at) => `${at * 4}-${at * 4}`);

const several: readonly RangeCase[] = [
  ['two ranges (14.6)', range('bytes=0-9,20-29'), ['0-9', '20-29']],
  ['the order they were asked in (15.3.7.2)', range('bytes=20-29,0-9'), ['20-29', '0-9']],
  ['the first and the last byte (14.1.2)', range('bytes=0-0,-1'), ['0-0', '999-999']],
  ['empty members and white space (5.6.1)', range('bytes=0-9 ,, 20-29,'), ['0-9', '20-29']],
  ['one that reaches beyond the end (14.1.2)', range('bytes=0-4,990-5000'), ['0-4', '990-999']],
  [
    'ranges on both sides of what is there',
    range('bytes=0-9,500-599,-100'),
    ['0-9', '500-599', '900-999'],
  ],
  ['overlapping ones, merged to a single part (15.3.7.2)', range('bytes=0-9,5-14'), '0-14'],
  ['adjacent ones, merged to a single part (15.3.7.2)', range('bytes=0-9,10-19'), '0-19'],
  ['the same twice, as a single part (15.3.7.2)', range('bytes=5-9,5-9'), '5-9'],
  ['some merged and some not (15.3.7.2)', range('bytes=0-9,900-,-50'), ['0-9', '900-999']],
  ['all of it in overlapping pieces (15.3.7.2)', range('bytes=0-,-1'), '0-999'],
  ['one of them unsatisfiable, which is left out (15.3.7.2)', range('bytes=0-9,1000-1001'), '0-9'],
  ['as many as zchunk asks for', range(`bytes=${every(50).join(',')}`), every(50)],
  ['two hundred, which is still sane (17.15)', range(`bytes=${tiny(200).join(',')}`), tiny(200)],
  [
    'more than two hundred, which is an attack (17.15)',
    range(`bytes=${tiny(201).join(',')}`),
    'whole',
  ],
];

function onCondition(condition: string, ranges: string): Field[] {
  return [...range(ranges), ['If-Range', condition]];
}

const conditional: readonly RangeCase[] = [
  ['our entity tag (13.1.5)', onCondition(etag, 'bytes=0-99'), '0-99'],
  ['our entity tag, made weak (13.1.5)', onCondition(`W/${etag}`, 'bytes=0-99'), 'whole'],
  ['another entity tag (13.1.5)', onCondition('"other"', 'bytes=0-99'), 'whole'],
  ['our entity tag without its quotes', onCondition(etag.slice(1, -1), 'bytes=0-99'), 'whole'],
  ['a star, which is no entity tag', onCondition('*', 'bytes=0-99'), 'whole'],
  ['a list, which is none either', onCondition(`"x", ${etag}`, 'bytes=0-99'), 'whole'],
  ['the exact date (13.1.5)', onCondition(date(0), 'bytes=0-99'), '0-99'],
  ['an earlier date (13.1.5)', onCondition(date(-1), 'bytes=0-99'), 'whole'],
  ['a later date, even that (13.1.5)', onCondition(date(1), 'bytes=0-99'), 'whole'],
  ['the date of RFC 850', onCondition('Sunday, 05-May-24 06:07:08 GMT', 'bytes=0-99'), '0-99'],
  ['the date of asctime', onCondition('Sun May  5 06:07:08 2024', 'bytes=0-99'), '0-99'],
  ['a date that is none', onCondition('yesterday', 'bytes=0-99'), 'whole'],
  ['a matching tag and several ranges', onCondition(etag, 'bytes=0-1,4-5'), ['0-1', '4-5']],
  ['a matching tag, unsatisfiable', onCondition(etag, 'bytes=1000-'), 'unsatisfiable'],
  ['another tag, unsatisfiable', onCondition('"other"', 'bytes=1000-'), 'whole'],
];

/** Ranges by themselves. */
export const rangeCases: readonly RangeCase[] = [
  ...single,
  ...unsatisfiable,
  ...ignored,
  ...several,
];

/** Ranges that If-Range makes depend on a validator. */
export const ifRangeCases = conditional;
