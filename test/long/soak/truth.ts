import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { type Generate, generated } from '../../helpers/body.ts';

/** What a file holds, from its first byte to its last. */
export interface Truth {
  readonly body: Generate;
  readonly size: number;
  /** Whole seconds since the epoch. */
  readonly lastModified: number;
  /** As the daemon gives it. */
  readonly etag: string;
  /** Its name may mean another file tomorrow. */
  readonly mutable: boolean;
  read(from: number, to: number): Buffer;
}

const EPOCH = 1_700_000_000;
/** An index changes so often, in ms. */
const VERSION = 5000;

/** Sizes of packages by the word their name begins with: from, to. */
const sizes: Readonly<Record<string, readonly [number, number]>> = {
  tiny: [1, 3000],
  small: [3000, 66_000],
  medium: [66_000, 700_000],
  large: [2_000_000, 6_000_000],
};

/** A package: its name says all of it, wherever it lies. */
export function packageTruth(target: string): Truth {
  const name = basename(target);
  const [, word = 'small'] = /^(\w+)-/.exec(name) ?? [];
  const [from, to] = sizes[word] ?? [3000, 66_000];
  const size = from + Math.floor(shareOf(`size of ${name}`) * (to - from));
  const lastModified = EPOCH + Math.floor(shareOf(name) * 1e7);
  return truthOf(name, { size, lastModified, mutable: false });
}

/** The version that every source has of every index now. */
export function versionAt(milliseconds: number): number {
  return Math.floor(milliseconds / VERSION);
}

/** An index, of which every version has another size and date. */
export function indexTruth(target: string, version: number): Truth {
  const size = 100 + Math.floor(shareOf(`size of ${target} ${version}`) * 80_000);
  return truthOf(`${target} ${version}`, { size, lastModified: version, mutable: true });
}

/** What is passed on: a listing, or what a query finds. */
export function pageTruth(target: string): Truth {
  const size = 1 + Math.floor(shareOf(`size of ${target}`) * 40_000);
  return truthOf(target, { size, lastModified: EPOCH, mutable: true });
}

function truthOf(seed: string, known: Pick<Truth, 'size' | 'lastModified' | 'mutable'>): Truth {
  const { size, lastModified } = known;
  const body = { seed, size };
  const { read } = generated(body);
  return { ...known, body, read, etag: `"${lastModified.toString(16)}-${size.toString(16)}"` };
}

/** From 0 to below 1, by the text alone. */
function shareOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32LE() / 2 ** 32;
}
