import type { EntryRow, EventReport, ListRow } from '../daemon/control/messages.ts';
import type { CullReply, ListReply, PurgeReply } from '../daemon/control/reports.ts';
import { formatSize } from '../daemon/units.ts';
import type { Wording } from './wording.ts';
import { ago, amount, clock, plural } from './words.ts';

/** What stands above the rows of `ls`, in columns of fixed width, as rows come one by one. */
export const listHeading = `${columns('SIZE', 'LAST USE', 'KIND')}PATH\n`;

/** What stands above the rows of `cull` and `purge`. */
export const entryHeading = `${columns('SIZE', 'LAST USE')}PATH\n`;

/** A row of `ls`. */
export function wordListRow({ path, size, lastUse, mutable }: ListRow, { now }: Wording): string {
  const kind = mutable ? 'mutable' : 'immutable';
  return `${columns(formatSize(size), ago(lastUse, now), kind)}${path}\n`;
}

/** A row of `cull` or `purge`. */
export function wordEntryRow({ path, size, lastUse }: EntryRow, { now }: Wording): string {
  return `${columns(formatSize(size), ago(lastUse, now))}${path}\n`;
}

/** `ls` in the end. */
export function wordList({ entries, bytes }: ListReply): string {
  return entries === 0 ? 'Nothing matches.\n' : `${amount({ entries, bytes })}\n`;
}

/** `cull` in the end. */
export function wordCull({ dryRun, entries, bytes, kept }: CullReply): string {
  const used = kept === 0 ? '' : ` ${plural(kept, 'file')} used meanwhile stayed.`;
  if (entries === 0) return `Nothing is old enough to remove.${used}\n`;
  const verb = dryRun ? 'Would remove' : 'Removed';
  return `${verb} ${amount({ entries, bytes })}.${used}\n`;
}

/** `purge` in the end. */
export function wordPurge({ entries, bytes, partials }: PurgeReply): string {
  const parts = [
    ...(entries === 0 ? [] : [amount({ entries, bytes })]),
    ...(partials === 0 ? [] : [plural(partials, 'unfinished download')]),
  ];
  return parts.length === 0 ? 'Nothing was removed.\n' : `Removed ${parts.join(', and ')}.\n`;
}

/** An event of `watch`, in one line. */
export function wordEvent({ at, kind, thing, text }: EventReport, { paint }: Wording): string {
  const mark = /^(?:failed|source|wrong)$/.test(kind) ? paint.warn : paint.faint;
  const said = text.includes(thing) ? text : `${thing}: ${text}`;
  return `${paint.faint(clock(at))}  ${mark(kind.padEnd(9))}  ${said}\n`;
}

function columns(size: string, lastUse: string, kind?: string): string {
  const two = `${size.padStart(6)}  ${lastUse.padStart(9)}  `;
  return kind === undefined ? two : `${two}${kind.padEnd(9)}  `;
}
