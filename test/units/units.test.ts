import test from 'ava';
import fc from 'fast-check';
import { CacheError } from '../../daemon/errors.ts';
import {
  formatDuration,
  formatRate,
  formatSize,
  parseDuration,
  parseSize,
} from '../../daemon/units.ts';

test('a duration is a number and a unit, and a bare number is seconds', (t) => {
  t.is(parseDuration('90d'), 90 * 86_400_000);
  t.is(parseDuration('1.5h'), 5_400_000);
  t.is(parseDuration('500ms'), 500);
  t.is(parseDuration('10'), 10_000);
  t.is(parseDuration('2w'), 14 * 86_400_000);
  t.is(parseDuration('1y'), 365 * 86_400_000);
});

test('a size counts 1024 to the K, with or without a B', (t) => {
  t.is(parseSize('200G'), 200 * 1024 ** 3);
  t.is(parseSize('1.5k'), 1536);
  t.is(parseSize('10MiB'), 10 * 1024 ** 2);
  t.is(parseSize('4096'), 4096);
});

for (const text of ['', 'G', '-1', '1e9', '12X', '1..5s', '9999999999999999999']) {
  test(`"${text}" is refused as a duration and as a size, with the way out`, (t) => {
    const duration = t.throws(() => parseDuration(text), { instanceOf: CacheError });
    t.regex(duration.message, /^Cannot parse duration ".*": write a number/);
    t.throws(() => parseSize(text), { instanceOf: CacheError, message: /such as 200G/ });
  });
}

test('sizes, ages and rates are worded for people', (t) => {
  t.is(formatSize(0), '0B');
  t.is(formatSize(1023), '1.0K');
  t.is(formatSize(1536), '1.5K');
  t.is(formatSize(200 * 1024 ** 3), '200G');
  t.is(formatDuration(850), '850ms');
  t.is(formatDuration(2500), '2.5s');
  t.is(formatDuration(200_000), '3m20s');
  t.is(formatDuration(3 * 86_400_000), '3d');
  t.is(formatRate(1024 ** 2, 1000), '1.0M/s');
});

test('a formatted size is within five per cent of the bytes it words', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 50 }), (bytes) => {
        const shown = formatSize(bytes);
        const parsed = shown.endsWith('P')
          ? Number.parseFloat(shown) * 1024 ** 5
          : parseSize(shown);
        return Math.abs(parsed - bytes) / bytes < 0.05;
      }),
    ),
  );
});
