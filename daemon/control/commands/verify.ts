import { CacheError } from '../../errors.ts';
import type { WrongOutcome } from '../../serve/check.ts';
import type { VerifyReply } from '../content-reports.ts';
import type { ControlContext } from '../context.ts';
import type { Call } from '../dispatch.ts';
import type { VerifyRow } from '../messages.ts';
import { progressTeller, rowSender } from '../telling.ts';
import { BadArgument, type Values } from '../values.ts';

/** A client that does not take the list of what is wrong for so long ends it: others wait for it. */
const PATIENCE = 60_000;

/** Compares what is stored with the Manifests, and repairs what is wrong when that is asked for. */
export async function verify(
  { path, rate, repair = false }: Values<'verify'>,
  call: Call,
  { upkeep }: ControlContext,
): Promise<VerifyReply> {
  if (rate === 0) throw new BadArgument('rate', '--rate "0": nothing would ever be read');
  const tell = progressTeller(call);
  const { send, signal } = rowSender(call, PATIENCE);
  const checked = await upkeep.verification.verify(
    {
      repair,
      ...(path === undefined ? {} : { glob: path }),
      ...(rate === undefined ? {} : { rate }),
    },
    {
      signal,
      onProgress: ({ entries, bytes, total, totalBytes }) =>
        tell({ entries, bytes, total, totalBytes }),
      onWrong: (outcome) => send([rowOf(outcome)]),
    },
  );
  const { verified, bytes, wrong, repaired, unknown, failed, problems, cancelled } = checked;
  if (cancelled) {
    const reason = `it was called off after ${verified} files`;
    throw new CacheError('cancelled', { verb: 'verify', thing: 'the cache', reason });
  }
  return { verified, bytes, wrong, repaired, unknown, failed, problems };
}

function rowOf({ entry, outcome, failure }: WrongOutcome): VerifyRow {
  const { key, size, reason } = entry;
  return { path: key, size, reason, outcome, failure: failure ?? null };
}
