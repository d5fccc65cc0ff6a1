import { CacheError, describe } from '../../errors.ts';
import type { Fill } from '../../origin/fill.ts';
import { prefetch } from '../../serve/prefetch.ts';
import type { FetchReply } from '../content-reports.ts';
import type { ControlContext } from '../context.ts';
import type { Call } from '../dispatch.ts';
import type { FetchRow } from '../messages.ts';
import { routeOf } from '../routes.ts';
import type { Values } from '../values.ts';

/** Downloads of one request at the same time: clients come first. */
const AT_ONCE = 4;
const PROGRESS_EVERY = 250;

/** Downloads files before somebody asks for them. */
export async function fetch(
  { paths }: Values<'fetch'>,
  call: Call,
  context: ControlContext,
): Promise<FetchReply> {
  const tally: Tally = { stored: 0, present: 0, failed: 0, bytes: 0, running: new Set() };
  const queue = paths.values();
  const stopTelling = tellProgress(call, { tally, total: paths.length });
  try {
    const lanes = Array.from({ length: laneCount(context) }, async () => {
      for (const path of queue) {
        if (call.line.gone.aborted) return;
        const rows = [await fetchOne({ path, tally }, call, context)];
        const { id, line } = call;
        await line.notify({ jsonrpc: '2.0', method: 'rows', params: { id, rows } });
      }
    });
    await Promise.all(lanes);
  } finally {
    stopTelling();
  }
  const { stored, present, failed, bytes } = tally;
  return { stored, present, failed, bytes };
}

// Half the places stay for clients.
function laneCount({ serve }: ControlContext): number {
  return Math.max(1, Math.min(AT_ONCE, Math.floor(serve.settings().config.maxFills / 2)));
}

interface Tally {
  stored: number;
  present: number;
  failed: number;
  /** Of what was stored. */
  bytes: number;
  readonly running: Set<Fill>;
}

interface Wanted {
  readonly path: string;
  readonly tally: Tally;
}

async function fetchOne(
  { path, tally }: Wanted,
  { line }: Call,
  context: ControlContext,
): Promise<FetchRow> {
  let fill: Fill | undefined;
  const filling = (started: Fill) => {
    if (fill !== undefined) tally.running.delete(fill);
    fill = started;
    tally.running.add(started);
  };
  try {
    const route = routeOf(path, context);
    const done = await prefetch(route, { filling, signal: line.gone }, context.serve);
    tally[done.outcome] += 1;
    if (done.outcome === 'stored') tally.bytes += done.bytes;
    return { path, outcome: done.outcome, size: done.bytes, reason: null };
  } catch (error) {
    tally.failed += 1;
    const reason = error instanceof CacheError ? error.reason : describe(error);
    return { path, outcome: 'failed', size: null, reason };
  } finally {
    if (fill !== undefined) tally.running.delete(fill);
  }
}

interface Told {
  readonly tally: Tally;
  readonly total: number;
}

function tellProgress({ id, line }: Call, { tally, total }: Told): () => void {
  let telling = false;
  const timer = setInterval(async () => {
    if (telling) return;
    telling = true;
    const entries = tally.stored + tally.present + tally.failed;
    const under = [...tally.running].reduce((sum, fill) => sum + fill.report().bytes, 0);
    const params = { id, entries, bytes: tally.bytes + under, total };
    await line.notify({ jsonrpc: '2.0', method: 'progress', params });
    telling = false;
  }, PROGRESS_EVERY);
  return () => clearInterval(timer);
}
