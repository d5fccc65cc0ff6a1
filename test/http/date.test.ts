import test from 'ava';
import fc from 'fast-check';
import { formatHttpDate, parseHttpDate } from '../../daemon/http/date.ts';

const example = Date.UTC(1994, 10, 6, 8, 49, 37) / 1000;
const now = Date.UTC(2026, 6, 1, 12) / 1000;
const years = { first: Date.parse('0000-01-01T00:00:00Z') / 1000, last: 253_402_300_799 };

const valid: readonly (readonly [string, string, string])[] = [
  ['the IMF-fixdate of the RFC', 'Sun, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37Z'],
  ['the RFC 850 date of the RFC', 'Sunday, 06-Nov-94 08:49:37 GMT', '1994-11-06T08:49:37Z'],
  ['the asctime date of the RFC', 'Sun Nov  6 08:49:37 1994', '1994-11-06T08:49:37Z'],
  ['asctime with two digits of day', 'Wed Nov 16 08:49:37 1994', '1994-11-16T08:49:37Z'],
  ['asctime with a zero in its day', 'Sun Nov 06 08:49:37 1994', '1994-11-06T08:49:37Z'],
  ['the epoch', 'Thu, 01 Jan 1970 00:00:00 GMT', '1970-01-01T00:00:00Z'],
  ['a time before the epoch', 'Wed, 31 Dec 1969 23:59:59 GMT', '1969-12-31T23:59:59Z'],
  ['a time beyond 32 bits', 'Tue, 19 Jan 2038 03:14:08 GMT', '2038-01-19T03:14:08Z'],
  ['a time beyond 33 bits', 'Thu, 17 Mar 2242 12:56:32 GMT', '2242-03-17T12:56:32Z'],
  ['the last second of the year 9999', 'Fri, 31 Dec 9999 23:59:59 GMT', '9999-12-31T23:59:59Z'],
  ['a year below 100', 'Tue, 01 Mar 0050 00:00:00 GMT', '0050-03-01T00:00:00Z'],
  ['a leap day', 'Thu, 29 Feb 2024 00:00:00 GMT', '2024-02-29T00:00:00Z'],
  ['the leap day of 2000', 'Tue, 29 Feb 2000 00:00:00 GMT', '2000-02-29T00:00:00Z'],
  ['a leap second', 'Sat, 31 Dec 2016 23:59:60 GMT', '2017-01-01T00:00:00Z'],
  ['a wrong day of the week', 'Mon, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37Z'],
];

for (const [what, text, iso] of valid) {
  test(`${what} is read (RFC 9110 5.6.7)`, (t) => {
    t.is(parseHttpDate(text, now), Date.parse(iso) / 1000);
  });
}

const invalid: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['zero', '0'],
  ['a number of seconds', '784111777'],
  ['an ISO 8601 date', '1994-11-06T08:49:37Z'],
  ['a time zone by offset', 'Sun, 06 Nov 1994 08:49:37 +0000'],
  ['a time zone other than GMT', 'Sun, 06 Nov 1994 08:49:37 UTC'],
  ['no time zone', 'Sun, 06 Nov 1994 08:49:37'],
  ['a lower-case time zone', 'Sun, 06 Nov 1994 08:49:37 gmt'],
  ['a lower-case month', 'Sun, 06 nov 1994 08:49:37 GMT'],
  ['an upper-case day name', 'SUN, 06 Nov 1994 08:49:37 GMT'],
  ['no day name', '06 Nov 1994 08:49:37 GMT'],
  ['an unknown day name', 'Son, 06 Nov 1994 08:49:37 GMT'],
  ['an unknown month', 'Sun, 06 Nov. 1994 08:49:37 GMT'],
  ['a long day name in an IMF-fixdate', 'Sunday, 06 Nov 1994 08:49:37 GMT'],
  ['a short day name in an RFC 850 date', 'Sun, 06-Nov-94 08:49:37 GMT'],
  ['a long day name in an asctime date', 'Sunday Nov  6 08:49:37 1994'],
  ['one digit of day', 'Sun, 6 Nov 1994 08:49:37 GMT'],
  ['a space for a digit of day', 'Sun,  6 Nov 1994 08:49:37 GMT'],
  ['asctime with one space and one digit of day', 'Sun Nov 6 08:49:37 1994'],
  ['asctime with a time zone', 'Sun Nov  6 08:49:37 1994 GMT'],
  ['one digit of hour', 'Sun, 06 Nov 1994 8:49:37 GMT'],
  ['no seconds', 'Sun, 06 Nov 1994 08:49 GMT'],
  ['a fraction of a second', 'Sun, 06 Nov 1994 08:49:37.5 GMT'],
  ['two digits of year in an IMF-fixdate', 'Sun, 06 Nov 94 08:49:37 GMT'],
  ['four digits of year in an RFC 850 date', 'Sunday, 06-Nov-1994 08:49:37 GMT'],
  ['five digits of year', 'Sat, 06 Nov 19940 08:49:37 GMT'],
  ['hyphens between short fields', 'Sun, 06-Nov-1994 08:49:37 GMT'],
  ['two spaces', 'Sun,  06 Nov 1994 08:49:37 GMT'],
  ['no space after the comma', 'Sun,06 Nov 1994 08:49:37 GMT'],
  ['a space in front', ' Sun, 06 Nov 1994 08:49:37 GMT'],
  ['a space behind', 'Sun, 06 Nov 1994 08:49:37 GMT '],
  ['a space before an RFC 850 date', ' Sunday, 06-Nov-94 08:49:37 GMT'],
  ['a space behind an RFC 850 date', 'Sunday, 06-Nov-94 08:49:37 GMT '],
  ['a space before an asctime date', ' Sun Nov  6 08:49:37 1994'],
  ['a line break behind', 'Sun, 06 Nov 1994 08:49:37 GMT\n'],
  ['two dates', 'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT'],
  ['day 0', 'Sun, 00 Nov 1994 08:49:37 GMT'],
  ['day 31 of a month of 30', 'Thu, 31 Nov 1994 08:49:37 GMT'],
  ['day 32', 'Thu, 32 Dec 1994 08:49:37 GMT'],
  ['29 February of a common year', 'Wed, 29 Feb 2023 00:00:00 GMT'],
  ['29 February of 1900', 'Thu, 29 Feb 1900 00:00:00 GMT'],
  ['hour 24', 'Sun, 06 Nov 1994 24:00:00 GMT'],
  ['minute 60', 'Sun, 06 Nov 1994 08:60:00 GMT'],
  ['second 61', 'Sat, 31 Dec 2016 23:59:61 GMT'],
  ['second 60 of minute 58', 'Sat, 31 Dec 2016 23:58:60 GMT'],
  ['second 60 of hour 22', 'Sat, 31 Dec 2016 22:59:60 GMT'],
  ['digits that are not ASCII', 'Sun, ٠٦ Nov 1994 08:49:37 GMT'],
];

for (const [what, text] of invalid) {
  test(`${what} is not an HTTP-date (RFC 9110 5.6.7)`, (t) => {
    t.is(parseHttpDate(text, now), undefined);
  });
}

const twoDigits: readonly (readonly [string, string, string, string])[] = [
  ['this year', 'Monday, 06-Jul-26 00:00:00 GMT', '2026-07-01', '2026-07-06'],
  ['50 years on to the second', 'Wednesday, 01-Jul-76 00:00:00 GMT', '2026-07-01', '2076-07-01'],
  ['50 years and a day on', 'Thursday, 02-Jul-76 00:00:00 GMT', '2026-07-01', '1976-07-02'],
  ['51 years on', 'Friday, 01-Jul-77 00:00:00 GMT', '2026-07-01', '1977-07-01'],
  ['the turn of a century behind us', 'Friday, 31-Dec-99 00:00:00 GMT', '2026-07-01', '1999-12-31'],
  ['the turn of a century ahead', 'Friday, 01-Jan-05 00:00:00 GMT', '2090-07-01', '2105-01-01'],
  ['49 years back', 'Friday, 01-Jan-41 00:00:00 GMT', '2090-07-01', '2041-01-01'],
  [
    'a leap day that only the past had',
    'Tuesday, 29-Feb-00 00:00:00 GMT',
    '2030-01-01',
    '2000-02-29',
  ],
];

for (const [what, text, today, iso] of twoDigits) {
  test(`a two-digit year is at most 50 years in the future: ${what} (RFC 9110 5.6.7)`, (t) => {
    t.is(parseHttpDate(text, Date.parse(today) / 1000), Date.parse(iso) / 1000);
  });
}

test('a two-digit year is read by the present clock unless told otherwise', (t) => {
  const thisYear = new Date().getUTCFullYear();
  const nextYear = String((thisYear + 1) % 100).padStart(2, '0');
  t.is(
    parseHttpDate(`Monday, 01-Jan-${nextYear} 00:00:00 GMT`),
    Date.UTC(thisYear + 1, 0, 1) / 1000,
  );
});

test('a date is generated as an IMF-fixdate (RFC 9110 5.6.7)', (t) => {
  t.is(formatHttpDate(example), 'Sun, 06 Nov 1994 08:49:37 GMT');
  t.is(formatHttpDate(0), 'Thu, 01 Jan 1970 00:00:00 GMT');
  t.is(formatHttpDate(-1), 'Wed, 31 Dec 1969 23:59:59 GMT');
});

test('a fraction of a second is dropped towards the past (RFC 9110 8.8.2.1)', (t) => {
  t.is(formatHttpDate(example + 0.999), 'Sun, 06 Nov 1994 08:49:37 GMT');
  t.is(formatHttpDate(-0.5), 'Wed, 31 Dec 1969 23:59:59 GMT');
});

test('a time that four digits of year cannot say becomes the nearest that can be said', (t) => {
  t.is(formatHttpDate(years.last + 1), 'Fri, 31 Dec 9999 23:59:59 GMT');
  t.is(formatHttpDate(2 ** 53), 'Fri, 31 Dec 9999 23:59:59 GMT');
  t.is(formatHttpDate(years.first - 1), 'Sat, 01 Jan 0000 00:00:00 GMT');
});

test('every time that can be said survives being formatted and parsed', (t) => {
  const seconds = fc.integer({ min: years.first, max: years.last });
  t.notThrows(() =>
    fc.assert(fc.property(seconds, (time) => parseHttpDate(formatHttpDate(time)) === time)),
  );
});

test('the three forms of one time are read alike (RFC 9110 5.6.7)', (t) => {
  const within = { min: now - 49 * 365 * 86_400, max: now + 49 * 365 * 86_400 };
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.integer(within), (time) =>
        Object.values(spellings(time)).every((text) => parseHttpDate(text, now) === time),
      ),
    ),
  );
});

function spellings(time: number): { fixdate: string; rfc850: string; asctime: string } {
  const date = new Date(time * 1000);
  const part = (options: Intl.DateTimeFormatOptions): string =>
    date.toLocaleString('en-US', { timeZone: 'UTC', ...options });
  const [day, year] = [date.getUTCDate(), String(date.getUTCFullYear())];
  const clock = date.toISOString().slice(11, 19);
  const month = part({ month: 'short' });
  const [name, longName] = [part({ weekday: 'short' }), part({ weekday: 'long' })];
  const twoDigitDay = String(day).padStart(2, '0');
  return {
    fixdate: `${name}, ${twoDigitDay} ${month} ${year} ${clock} GMT`,
    rfc850: `${longName}, ${twoDigitDay}-${month}-${year.slice(2)} ${clock} GMT`,
    asctime: `${name} ${month} ${String(day).padStart(2)} ${clock} ${year}`,
  };
}
