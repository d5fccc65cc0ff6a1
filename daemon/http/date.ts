/** One reading of a date and time of day, in UTC; months count from 0. */
interface Moment {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const dayName = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const dayNameLong = '(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)';
const month = `(?<month>${months.join('|')})`;
const time = '(?<hour>\\d{2}):(?<minute>\\d{2}):(?<second>\\d{2})';

// RFC 9110 section 5.6.7: the names are case-sensitive and no white space may be added.
const imfFixdate = new RegExp(`^${dayName}, (?<day>\\d{2}) ${month} (?<year>\\d{4}) ${time} GMT$`);
const rfc850Date = new RegExp(
  `^${dayNameLong}, (?<day>\\d{2})-${month}-(?<year>\\d{2}) ${time} GMT$`,
);
const asctimeDate = new RegExp(`^${dayName} ${month} (?<day>\\d{2}| \\d) ${time} (?<year>\\d{4})$`);

// What four digits can say: 0000-01-01T00:00:00Z to 9999-12-31T23:59:59Z.
const earliest = -62_167_219_200;
const latest = 253_402_300_799;

/**
 * Whole seconds since the epoch for an HTTP-date in any of the three forms of RFC 9110 section
 * 5.6.7, `undefined` for anything else. The name of the day is checked as a word, not against the
 * date: no recipient gains by refusing a date that is otherwise plain.
 *
 * `now`, in seconds, gives a two-digit year its century.
 */
export function parseHttpDate(text: string, now = Date.now() / 1000): number | undefined {
  const rfc850 = rfc850Date.exec(text);
  const groups = (imfFixdate.exec(text) ?? rfc850 ?? asctimeDate.exec(text))?.groups;
  if (groups === undefined) return undefined;
  const moment = {
    year: Number(groups.year),
    month: months.indexOf(groups.month ?? ''),
    day: Number(groups.day),
    hour: Number(groups.hour),
    minute: Number(groups.minute),
    second: Number(groups.second),
  };
  const dated = rfc850 === null ? moment : { ...moment, year: fullYear(moment, now) };
  return isReal(dated) ? toSeconds(dated) : undefined;
}

/**
 * The IMF-fixdate of a time in seconds, the one form to generate (RFC 9110 section 5.6.7). A file
 * system can hold times that four digits of year cannot: they become the nearest that can be said.
 */
export function formatHttpDate(seconds: number): string {
  const sayable = Math.min(Math.max(Math.floor(seconds), earliest), latest);
  return new Date(sayable * 1000).toUTCString();
}

// RFC 9110 section 5.6.7: a two-digit year that appears to be more than 50 years in the future is
// the most recent past year with the same digits.
function fullYear(moment: Moment, now: number): number {
  const limit = new Date(now * 1000);
  const thisYear = limit.getUTCFullYear();
  limit.setUTCFullYear(thisYear + 50);
  let year = thisYear - (thisYear % 100) + 100 + moment.year;
  while (toSeconds({ ...moment, year }) > limit.getTime() / 1000) year -= 100;
  return year;
}

function isReal({ year, month, day, hour, minute, second }: Moment): boolean {
  if (startOfDay({ year, month, day }).getUTCDate() !== day) return false;
  // RFC 9110 section 5.6.7: time-of-day runs to 23:59:60, the leap second.
  if (second === 60) return hour === 23 && minute === 59;
  return hour < 24 && minute < 60 && second < 60;
}

function toSeconds({ year, month, day, hour, minute, second }: Moment): number {
  const days = startOfDay({ year, month, day }).getTime() / 1000;
  return days + hour * 3600 + minute * 60 + second;
}

function startOfDay({ year, month, day }: Pick<Moment, 'year' | 'month' | 'day'>): Date {
  const date = new Date(0);
  // Date.UTC() takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(year, month, day);
  return date;
}
