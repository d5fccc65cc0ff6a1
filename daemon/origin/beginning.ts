import { dirname } from 'node:path/posix';
import { Partial } from '../cache/partial.ts';
import type { KeptPartial, PartialRecord } from '../cache/partial-book.ts';
import type { SourceUrl } from '../config/source-url.ts';
import type { CacheError } from '../errors.ts';
import type { Reservation } from '../room/room.ts';
import { ask, type Reply } from './ask.ts';
import { askForRest, isRest, type Known, type NoRest, type Rest } from './continuation.ts';
import type { OriginHead } from './judge.ts';
import { type FillContext, type FillHead, type FillOrder, fillHead } from './order.ts';
import { headOf, knownOf, recordOf } from './record.ts';
import { refusal, unstorable } from './refusals.ts';
import { isStepBack, validatorsFor } from './revalidation.ts';

/** A body on its way: the file it goes to, and what is known of it. */
export interface Stream {
  readonly partial: Partial;
  /** The room it will take, held until the fill has ended. */
  readonly reservation: Reservation;
  /** What its clients are told. */
  readonly head: FillHead;
  /** What the origin said, for the record of a mutable entry. */
  readonly origin: Pick<OriginHead, 'etag' | 'lastModified' | 'type'>;
  /** What the body must match that goes on from elsewhere; absent without a length. */
  readonly known: Known | undefined;
  /** What it takes to go on with it; absent where it could not be proven to be the same file. */
  readonly record: PartialRecord | undefined;
}

/** How a fill begins. */
export type Beginning =
  | { readonly kind: 'unchanged'; readonly source: SourceUrl }
  /** `certain`: every source that works said that there is no such file. */
  | { readonly kind: 'refused'; readonly error: CacheError; readonly certain: boolean }
  | {
      readonly kind: 'body';
      readonly stream: Stream;
      readonly first: Rest;
      /** An earlier partial was of another file, from this byte on. */
      readonly differsAt?: number;
    };

/** Where a fill stands before its first byte. */
export interface Starting {
  readonly order: FillOrder;
  readonly context: FillContext;
  readonly signal: AbortSignal;
}

/**
 * Goes on with what an earlier fill left, or asks for the whole.
 *
 * @throws CacheError `storage` when there is no file to write to.
 */
export async function begin(starting: Starting): Promise<Beginning> {
  const { order, context } = starting;
  const kept = order.mutable ? undefined : await context.partials.find(order.route.key);
  if (kept === undefined) return await beginAnew(starting);
  const resumed = await resume(kept, starting);
  if (resumed !== undefined) return resumed;
  const fresh = await beginAnew(starting);
  // How far the two files agree nobody knows: a client may hold bytes of the old one.
  return fresh.kind === 'body' ? { ...fresh, differsAt: 0 } : fresh;
}

async function beginAnew(starting: Starting): Promise<Beginning> {
  const { order, context } = starting;
  const reply = await askForWhole(starting);
  if (reply.kind === 'unchanged') return reply;
  if (reply.kind !== 'good') return refused(order, reply);
  const { head, source, answer } = reply;
  if (isStepBack(order.previous, reply)) {
    answer.exchange.discard();
    return { kind: 'unchanged', source };
  }
  const { route, mutable } = order;
  // Before the first byte: a client asks for an index's signature as soon as it has the index.
  if (mutable) context.sticky.note(dirname(route.key), source);
  const shown = fillHead(head);
  const opened = await openPartial(starting, {
    bytes: head.length,
    open: () => Partial.create(context.layout.partial(route.key), head.length),
  }).catch((error: unknown) => {
    answer.exchange.abort(new Error('there is no file to write to'));
    throw error;
  });
  const record = recordOf({ route, head, source, mtime: shown.mtime });
  const known = record && knownOf(record);
  return {
    kind: 'body',
    stream: { ...opened, head: shown, origin: head, known, record: mutable ? undefined : record },
    first: { source, answer, position: 0, foreign: false },
  };
}

function askForWhole({ order, context, signal }: Starting): Promise<Reply> {
  const { route, mutable, previous } = order;
  const asking = context.asking();
  const ordered = asking.health.order(route.repository.sources);
  const validators = previous === undefined ? undefined : validatorsFor(previous);
  return ask(asking, {
    sources: mutable ? context.sticky.order(dirname(route.key), ordered) : ordered,
    method: 'GET',
    path: route.upstreamPath,
    hops: route.hops,
    expected: { path: route.path, mutable, conditional: validators !== undefined },
    ...(validators === undefined ? {} : { fields: validators }),
    signal,
  });
}

/** Undefined when the sources have another file by now. */
async function resume(
  { record, path, written }: KeptPartial,
  starting: Starting,
): Promise<Beginning | undefined> {
  const { order, context, signal } = starting;
  const { route } = order;
  const asking = context.asking();
  const first = (source: SourceUrl) => Number(source.url === record.source);
  const rest = await askForRest({
    asking,
    route,
    known: knownOf(record),
    offset: written,
    sources: asking.health
      .order(route.repository.sources)
      .toSorted((left, right) => first(right) - first(left)),
    signal,
  });
  if (!isRest(rest)) return refused(order, rest);
  if (rest.foreign) {
    rest.answer.exchange.abort(new Error('it is another file'));
    return undefined;
  }
  const { length } = record;
  const opened = await openPartial(starting, {
    bytes: length - written,
    open: () => Partial.reopen({ path, length, written }),
  }).catch((error: unknown) => {
    rest.answer.exchange.abort(new Error('there is no file to write to'));
    throw error;
  });
  if (rest.position > 0) opened.partial.confirm();
  return {
    kind: 'body',
    stream: { ...opened, head: headOf(record), origin: record, known: knownOf(record), record },
    first: rest,
  };
}

function refused({ route }: FillOrder, reply: NoRest): Beginning {
  const certain = reply.kind === 'missing' && reply.certain;
  return { kind: 'refused', error: refusal(route.key, reply), certain };
}

interface Opening {
  /** How many more it will take; undefined when nobody knows. */
  readonly bytes: number | undefined;
  readonly open: () => Promise<Partial>;
}

async function openPartial({ order, context }: Starting, { bytes, open }: Opening) {
  let partial: Partial | undefined;
  let before = 0;
  const written = () => (partial === undefined ? 0 : partial.written - before);
  const reservation = await context.room.reserve(bytes, written);
  try {
    partial = await open();
    before = partial.written;
    return { partial, reservation };
  } catch (cause) {
    reservation.release();
    throw unstorable(order.route.key, cause);
  }
}
