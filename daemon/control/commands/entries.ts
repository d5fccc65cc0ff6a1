import { CacheError } from '../../errors.ts';
import type { CulledEntry, CullSummary } from '../../room/cull.ts';
import type { CullWatch } from '../../room/housekeeping.ts';
import type { ListSummary } from '../../room/list.ts';
import type { ControlContext } from '../context.ts';
import type { Call } from '../dispatch.ts';
import type { EntryRow } from '../messages.ts';
import type { CullReply, ListReply } from '../reports.ts';
import { progressTeller, rowSender } from '../telling.ts';
import { BadArgument, type Values } from '../values.ts';

/** A client that takes no list of what is removed for so long ends the cull: others wait for it. */
const PATIENCE = 60_000;
/** The longest that a timer can wait: nothing waits for a dry run. */
const FOR_EVER = 2 ** 31 - 1;

/** Lists what is stored. */
export async function ls(
  { path, sort = 'path' }: Values<'ls'>,
  { id, line }: Call,
  { budget, serve }: ControlContext,
): Promise<ListReply> {
  const { immutable, mutable, repositories } = serve.settings().config;
  const order = {
    sort,
    rules: { immutable, mutable },
    repositories: repositories.map(({ name }) => name).filter((name) => name !== ''),
    ...(path === undefined ? {} : { glob: path }),
  };
  const summary = await budget.list(order, {
    signal: line.gone,
    onRows: (entries) => {
      const rows = entries.map((entry) => ({ ...rowOf(entry), mutable: entry.mutable }));
      return line.notify({ jsonrpc: '2.0', method: 'rows', params: { id, rows } });
    },
  });
  return listReply(summary);
}

/** Removes what has not been used for long. */
export async function cull(
  { olderThan, toSize, path, dryRun = false, list = dryRun }: Values<'cull'>,
  call: Call,
  { budget }: ControlContext,
): Promise<CullReply> {
  if (olderThan === undefined && toSize === undefined) {
    throw new BadArgument(
      'olderThan',
      'say what is to go: --older-than AGE, --to-size SIZE or both',
    );
  }
  const summary = await budget.cull(
    {
      ...(olderThan === undefined ? {} : { usedBefore: Date.now() - olderThan }),
      ...(toSize === undefined ? {} : { downTo: toSize }),
      ...(path === undefined ? {} : { glob: path }),
      dryRun,
      list,
    },
    watchCull(call, dryRun ? FOR_EVER : PATIENCE),
  );
  return { ...cullReply(summary), dryRun, kept: summary.kept };
}

/** Tells a client how far a cull is, and lists what goes when the order asks for it. */
export function watchCull(call: Call, patience: number): CullWatch {
  const tell = progressTeller(call);
  const { send, signal } = rowSender(call, patience);
  return {
    signal,
    onProgress: async ({ entries, bytes, total, culled }) => {
      tell({ entries, bytes, total });
      if (culled.length > 0) await send(culled.map(rowOf));
    },
  };
}

/** An entry as a row. */
export function rowOf({ key, size, lastUse }: CulledEntry): EntryRow {
  return { path: key, size, lastUse: Math.round(lastUse) };
}

/** What a list or a cull came to. @throws CacheError `cancelled` when it was called off */
export function listReply(summary: ListSummary | CullSummary): ListReply {
  const { entries, bytes, failed, problems } = summary;
  return { entries, bytes, failed, problems };
}

function cullReply(summary: CullSummary): ListReply {
  if (summary.cancelled) {
    const reason = `it was called off after ${summary.entries} files`;
    throw new CacheError('cancelled', { verb: 'cull', thing: 'the cache', reason });
  }
  return listReply(summary);
}
