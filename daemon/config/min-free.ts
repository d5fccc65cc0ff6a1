import { CacheError } from '../errors.ts';
import { parseSize } from '../units.ts';

/** How much of the disk stays free: the smaller of what is given. */
export interface MinFree {
  readonly bytes?: number;
  /** A share of the disk's size, from 0 to below 1. */
  readonly share?: number;
}

/** What stays free when nobody says otherwise: 1G, or 5 % of a disk under 20G. */
export const defaultMinFree: MinFree = { bytes: 1024 ** 3, share: 0.05 };

/** The bytes that must stay free on a disk of that size. */
export function minFreeBytes({ bytes, share }: MinFree, diskBytes: number): number {
  const ofDisk = share === undefined ? Infinity : Math.floor(share * diskBytes);
  const least = Math.min(bytes ?? Infinity, ofDisk);
  return Number.isFinite(least) ? least : 0;
}

/**
 * `2G`, `5%` or `0` for none.
 *
 * @throws CacheError `config` for anything else, and for so few bytes that a unit was forgotten.
 */
export function parseMinFree(text: string): MinFree {
  const percent = /^(\d{1,2}(?:\.\d+)?)\s*%$/.exec(text)?.[1];
  if (percent !== undefined) return { share: Number(percent) / 100 };
  const bytes = text.includes('%') ? Number.NaN : parseSize(text);
  if (bytes === 0 || bytes >= 1024 ** 2) return { bytes };
  throw new CacheError('config', {
    verb: 'use',
    thing: text,
    reason: Number.isNaN(bytes)
      ? 'write a share below 100%, such as 5%'
      : 'it is less than 1M, write a unit as in 5G or 5%, or 0 for none',
  });
}
