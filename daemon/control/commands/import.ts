import { isAbsolute, resolve } from 'node:path';
import { CacheError } from '../../errors.ts';
import type { ImportedFile } from '../../room/import.ts';
import type { FetchReply } from '../content-reports.ts';
import type { ControlContext } from '../context.ts';
import type { Call } from '../dispatch.ts';
import type { FetchRow } from '../messages.ts';
import { progressTeller, rowSender } from '../telling.ts';
import { BadArgument, type Values } from '../values.ts';

/** A client that does not take its rows for so long ends the import: others wait for it. */
const PATIENCE = 60_000;

/** Takes over the files of a DISTDIR that lies on the daemon's machine. */
export async function importDistdir(
  { directory, link = false, unverified = false }: Values<'import'>,
  call: Call,
  { upkeep }: ControlContext,
): Promise<FetchReply> {
  if (!isAbsolute(directory)) {
    throw new BadArgument('directory', `DIR "${directory}" is no absolute path`);
  }
  const order = { directory: resolve(directory), link, unverified };
  const { send, signal } = rowSender(call, PATIENCE);
  const imported = await upkeep.takeOver(order, {
    signal,
    onProgress: progressTeller(call),
    onFile: (file) => send([rowOf(file)]),
  });
  if (!signal.aborted) return imported;
  const reason = `it was called off after ${imported.stored} files`;
  throw new CacheError('cancelled', { verb: 'import', thing: directory, reason });
}

function rowOf({ name, outcome, size, reason = '' }: ImportedFile): FetchRow {
  const failed = outcome === 'failed';
  return { path: name, outcome, size: failed ? null : size, reason: failed ? reason : null };
}
