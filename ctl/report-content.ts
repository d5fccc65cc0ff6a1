import type { FetchReply, VerifyReply } from '../daemon/control/content-reports.ts';
import type { FetchRow, VerifyRow } from '../daemon/control/messages.ts';
import { formatCount, formatSize } from '../daemon/units.ts';
import type { Wording } from './wording.ts';
import { amount, plural } from './words.ts';

/** A row of `fetch` or `import`. */
export function wordFetchRow(
  { path, outcome, size, reason }: FetchRow,
  { paint }: Wording,
): string {
  const word = outcome.padEnd(7);
  if (outcome === 'failed') return `${paint.bad(word)}  ${'-'.padStart(6)}  ${path}: ${reason}\n`;
  const mark = outcome === 'stored' ? paint.good(word) : paint.faint(word);
  return `${mark}  ${(size === null ? '-' : formatSize(size)).padStart(6)}  ${path}\n`;
}

/** A row of `verify`. */
export function wordVerifyRow(
  { path, size, reason, outcome, failure }: VerifyRow,
  { paint }: Wording,
): string {
  const mark = (outcome === 'repaired' ? paint.good : paint.bad)(outcome.padEnd(8));
  const so = outcome === 'failed' ? 'it is in quarantine, and was not fetched anew: ' : '';
  const more = failure === null ? '' : `; ${so}${failure}`;
  return `${mark}  ${formatSize(size).padStart(6)}  ${path}: ${reason}${more}\n`;
}

/** `fetch` in the end. */
export function wordFetch(reply: FetchReply): string {
  return wordStored('Fetched', reply);
}

/** `import` in the end. */
export function wordImport(reply: FetchReply): string {
  return wordStored('Imported', reply);
}

function wordStored(verb: string, { stored, present, failed, bytes }: FetchReply): string {
  const parts = [`${verb} ${amount({ entries: stored, bytes })}`];
  if (present > 0) parts.push(`${plural(present, 'was', 'were')} there already`);
  if (failed > 0) parts.push(`${failed} failed`);
  return `${parts.join('; ')}.\n`;
}

/** `verify` in the end. */
export function wordVerify({ verified, bytes, wrong, repaired, unknown }: VerifyReply): string {
  const parts = [`Verified ${amount({ entries: verified, bytes })}`, wordWrong(wrong, repaired)];
  if (unknown > 0) parts.push(`no Manifest names ${plural(unknown, 'other')}`);
  return `${parts.join('; ')}.\n`;
}

/** What was wrong, and what of that is right again. */
export function wordWrong(wrong: number, repaired: number): string {
  if (wrong === 0) return 'nothing was wrong';
  const mended = repaired === 0 ? '' : `, ${formatCount(repaired)} repaired`;
  return `${plural(wrong, 'was', 'were')} wrong${mended}`;
}

/** What is wrong still, for whoever reads nothing else. */
export function wordUnrepaired(files: number): string {
  return `${plural(files, 'file was', 'files were')} not what the Manifests say`;
}
