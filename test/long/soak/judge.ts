import type { ExecutionContext } from 'ava';
import { formatSize } from '../../../daemon/units.ts';
import type { Floor } from './rest.ts';
import type { Tally } from './tally.ts';

const MiB = 1024 ** 2;

/**
 * What may come on top of the first half minute, in bytes. The daemon remembers what became of
 * 10,000 names, and of as many directories and entries, in half a kilobyte each: that takes an hour
 * to fill, and grows no more after it. Buffers are few and go. What is free stays with the process
 * as malloc sees fit: from one rest to the next that may be 60 MiB more, or less.
 */
const MORE = { heapUsed: 16 * MiB, external: 8 * MiB, rss: 128 * MiB };

/** A processor's share that a daemon at rest, and the looks at it, may take: one that spins has 1. */
const IDLE_LOAD = 0.3;

/** What an error of the log is about that the soak itself brings about. */
const explained: readonly RegExp[] = [/: the configuration stays as it was: /];

/** The daemon holds what it held. */
export function judgeFloors(t: ExecutionContext, before: Floor, after: Floor): void {
  for (const kind of Object.keys(MORE) as (keyof typeof MORE)[]) {
    const most = before[kind] + MORE[kind];
    t.true(after[kind] <= most, `${kind}: ${after[kind]}, and at first ${before[kind]}`);
  }
  t.deepEqual(growthOf(before.files, after.files), {}, 'open files');
  t.deepEqual(growthOf(before.resources, after.resources), {}, 'handles and timers');
  t.true(after.load < IDLE_LOAD, `at rest it takes ${after.load} of a processor`);
}

function growthOf(before: Floor['files'], after: Floor['files']): Record<string, string> {
  const grown = Object.entries(after).filter(([kind, count]) => count > (before[kind] ?? 0));
  return Object.fromEntries(
    grown.map(([kind, count]) => [kind, `${count}, and at first ${before[kind] ?? 0}`]),
  );
}

/** Nobody got anything wrong, and most of them what they asked for. */
export function judgeTally(t: ExecutionContext, { wrongs, counts }: Tally): void {
  t.deepEqual(wrongs, []);
  const sumOf = (pattern: RegExp) =>
    [...counts].reduce((sum, [what, count]) => (pattern.test(what) ? sum + count : sum), 0);
  const good = sumOf(/^good /);
  t.true(good > 500, `${good} good answers`);
  t.true(sumOf(/^(broken|refused .*)$/) < good / 5);
}

/**
 * No error but those that were meant to be, and no word of Node's own: it warns of what is never
 * closed, of listeners that pile up, and of what is not to be used any more.
 */
export function judgeLog(t: ExecutionContext, lines: readonly string[]): void {
  const errors = lines.filter((line) => / error: |^\(node:\d+\)/.test(line));
  t.deepEqual(
    errors.filter((line) => !explained.some((pattern) => pattern.test(line))),
    [],
  );
}

/** One line of what it holds. */
export function wordFloor({ rss, heapUsed, external, files, resources, load }: Floor): string {
  const memory = `${formatSize(rss)}, heap ${formatSize(heapUsed)}, buffers ${formatSize(external)}`;
  return `at rest: ${memory}, ${JSON.stringify({ files, resources })}, load ${load.toFixed(2)}`;
}
