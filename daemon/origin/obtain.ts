import type { SourceUrl } from '../config/source-url.ts';
import { type BodyBeginning, beginAnew, type Starting, type Stream } from './beginning.ts';
import type { DownloadEnd } from './download.ts';
import type { FillTools } from './order.ts';
import type { Proof, Verdict } from './proof.ts';
import { refusal, saidBy } from './refusals.ts';
import { transfer } from './transfer.ts';

/** What it takes to get a file that is the one that is meant. */
export interface Obtaining extends Starting {
  readonly context: FillTools;
  readonly proof: Proof;
  /** Told of every copy before its first byte. */
  readonly opened: (beginning: BodyBeginning) => void;
  /** Told whenever another source takes over. */
  readonly turned: (source: SourceUrl) => void;
}

/** How that ended: with a whole body, or with the sources turning to another file. */
export type Obtained =
  | { readonly kind: 'whole'; readonly stream: Stream; readonly verdict: Verdict }
  | Extract<DownloadEnd, { kind: 'differs' }>;

interface WrongCopy {
  readonly stream: Stream;
  /** Who gave all of it; several may have. */
  readonly source: SourceUrl | undefined;
  readonly reason: string;
}

/**
 * Downloads copy after copy, each from another source, until one is the file that the Manifests
 * mean. Where they know nothing of it the first one is.
 *
 * @throws as `transfer`; CacheError `source` that names what is wrong with each copy.
 */
export async function obtain(beginning: BodyBeginning, given: Obtaining): Promise<Obtained> {
  const { proof, order, sizes, signal, context, opened, turned } = given;
  const { differences } = context;
  const { key } = order.route;
  const wrong: WrongCopy[] = [];
  for (let next = beginning; ; next = await beginElsewhere(given, wrong)) {
    const { stream } = next;
    opened(next);
    release(wrong.at(-1));
    const { mutable } = order;
    const flow = { ...next, mutable, digestDecides: sizes !== undefined, signal, turned };
    const { end, source } = await transfer(flow, context);
    if (end.kind === 'differs') return end;
    stream.partial.body.seal();
    const verdict = await proof.judge(source);
    if (proof.differsAt !== undefined) differences.set(key, proof.differsAt);
    if (verdict.kind !== 'wrong') return { kind: 'whole', stream, verdict };
    const copy = { stream, source, reason: verdict.reason };
    wrong.push(copy);
    await putAside(copy, given);
  }
}

async function putAside(
  { stream, source, reason }: WrongCopy,
  { context, order }: Obtaining,
): Promise<void> {
  const { key } = order.route;
  // Who was given bytes of it may come again for the rest.
  if (stream.partial.body.open > 0) context.differences.set(key, 0);
  if (source !== undefined) context.asking().health.fail(source, reason);
  context.log.warn(`"${key}" from ${source?.url ?? 'several sources'} is ${reason}`);
  await context.partials.forget(key);
}

// Its readers and whoever compares it hold it open as long as they need it.
function release(wrong: WrongCopy | undefined): void {
  wrong?.stream.reservation.release();
  wrong?.stream.partial.release();
}

// The lengths of wrong copies will do as well: a second source may have the same file, and then it
// is the Manifests that lag behind.
async function beginElsewhere(
  starting: Starting,
  wrong: readonly WrongCopy[],
): Promise<BodyBeginning> {
  const { order, context } = starting;
  // The last copy may have come from where the ebuilds say, and not from a source.
  const route = wrong.at(-1)?.stream.route ?? order.route;
  const { sources } = route.repository;
  const isTried = (source: SourceUrl) => wrong.some((copy) => copy.source === source);
  const others = context
    .asking()
    .health.order(sources)
    .filter((source) => !isTried(source));
  const said = wrong.flatMap(({ source, reason }) =>
    source === undefined ? [] : [{ source, reason }],
  );
  // Copies that several sources had a part in blame nobody: there must be an end to them, too.
  if (others.length === 0 || wrong.length > sources.length) {
    throw refusal(route.key, { kind: 'failed', said });
  }
  const lengths = wrong.flatMap(({ stream }) => stream.partial.body.length ?? []);
  const sizes = [...new Set([...(starting.sizes ?? []), ...lengths])];
  const next = await beginAnew({ ...starting, order: { ...order, route }, sizes }, others);
  if (next.kind === 'body') return next;
  const further = next.kind === 'refused' ? saidBy(next.error) : [];
  throw refusal(route.key, { kind: 'failed', said: [...said, ...further] });
}
