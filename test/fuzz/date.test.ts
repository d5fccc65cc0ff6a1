import assert from 'node:assert/strict';
import test from 'ava';
import { formatHttpDate, parseHttpDate } from '../../daemon/http/date.ts';
import { holds } from './fuzz.ts';
import { mutate, words } from './mutate.ts';
import type { Random } from './random.ts';

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const longDays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Noon of a day in 2026, from which two digits of a year are read. */
const now = Date.UTC(2026, 5, 15, 12) / 1000;

/** The three forms of RFC 9110 section 5.6.7, from the calendar of JavaScript. */
function formsOf(seconds: number): readonly [imf: string, rfc850: string, asctime: string] {
  const date = new Date(seconds * 1000);
  const two = (number: number) => String(number).padStart(2, '0');
  const day = date.getUTCDate();
  const month = months[date.getUTCMonth()];
  const year = String(date.getUTCFullYear()).padStart(4, '0');
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
  return [
    `${days[date.getUTCDay()]}, ${two(day)} ${month} ${year} ${time} GMT`,
    `${longDays[date.getUTCDay()]}, ${two(day)}-${month}-${year.slice(2)} ${time} GMT`,
    `${days[date.getUTCDay()]} ${month} ${String(day).padStart(2)} ${time} ${year}`,
  ];
}

const pieces = [
  ...[...days, ...longDays, ...months],
  ...words('GMT UTC +0000 00 24 59 60 61 29 30 31 32 0 - , : 1900 2000 2100 0000 9999 99 -1 1e3'),
  ...words('gmt jan (comment) .5 T Z \u0661'),
  ...[' ', '  ', ', ', ' 1', '\t'],
];

/** 0000-01-01 and the last second of 9999. */
const [earliest, latest] = [-62_167_219_200, 253_402_300_799];

function anySecond(random: Random): number {
  if (random.oneIn(2)) return random.below(2 ** 31);
  const days = Math.floor((latest - earliest) / 86_400);
  return earliest + random.below(days + 1) * 86_400 + random.below(86_400);
}

test('a time in any of the three forms is read to the second, and written back the same', (t) => {
  holds(t, {
    make: (random) => ({ seconds: anySecond(random), form: random.below(3) }),
    check: ({ seconds, form }) => {
      const text = formsOf(seconds)[form] ?? '';
      const read = parseHttpDate(text, now);
      assert.equal(formatHttpDate(seconds), formsOf(seconds)[0]);
      if (form !== 1) assert.equal(read, seconds);
      else assertCentury(read, seconds);
      return ['IMF-fixdate', 'RFC 850', 'asctime'][form] ?? '';
    },
    kinds: { 'IMF-fixdate': 0.3, 'RFC 850': 0.3, asctime: 0.3 },
  });
});

// RFC 9110 section 5.6.7: never more than fifty years ahead, and the last such century.
function assertCentury(read: number | undefined, seconds: number): void {
  if (read === undefined) {
    // The same day of the century that is meant may be a 29 February that it lacks.
    assert.match(formsOf(seconds)[1], /29-Feb-00/);
    return;
  }
  assert.equal(formsOf(read)[1].replace(/^\w+/, ''), formsOf(seconds)[1].replace(/^\w+/, ''));
  const [later, limit] = [new Date(read * 1000), new Date(now * 1000)];
  limit.setUTCFullYear(limit.getUTCFullYear() + 50);
  assert.ok(later <= limit);
  later.setUTCFullYear(later.getUTCFullYear() + 100);
  assert.ok(later > limit);
}

/** Another word or another number here and there, so that the form holds. */
function twisted(text: string, random: Random): string {
  return text.replace(/[A-Za-z]+|\d+/g, (part) => {
    if (!random.oneIn(4)) return part;
    if (/\d/.test(part)) return String(random.below(10 ** part.length)).padStart(part.length, '0');
    return random.pick(days.includes(part) ? days : months.includes(part) ? months : longDays);
  });
}

test('what is read as a time is one of the forms of that time, letter for letter', (t) => {
  holds(t, {
    make: (random) => {
      const text = twisted(random.pick(formsOf(anySecond(random))), random);
      return random.oneIn(2) ? text : mutate(text, random, { corpus: formsOf(0), pieces });
    },
    check: (text) => {
      const read = parseHttpDate(text, now);
      if (read === undefined) return 'no date';
      assert.ok(Number.isInteger(read) && read >= earliest && read <= latest + 1);
      const isLeap = /23:59:60/.test(text);
      const seconds = isLeap ? read - 1 : read;
      const written = isLeap ? text.replace('23:59:60', '23:59:59') : text;
      // Any name of a day will do, if it is one, and a day of one digit may have a nought.
      const anyDay = (form: string) =>
        form.replace(/^[A-Z][a-z]+/, 'day').replace(/^(day [A-Z][a-z]+) {2}/, '$1 0');
      assert.ok(formsOf(seconds).some((form) => anyDay(form) === anyDay(written)));
      assert.ok([...days, ...longDays].includes(/^[A-Z][a-z]+/.exec(text)?.[0] ?? ''));
      return 'date';
    },
    kinds: { 'no date': 0.4, date: 0.1 },
  });
});
