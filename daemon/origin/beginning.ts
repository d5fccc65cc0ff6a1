import { Partial } from '../cache/partial.ts';
import type { KeptPartial, PartialRecord } from '../cache/partial-book.ts';
import type { SourceUrl } from '../config/source-url.ts';
import type { CacheError } from '../errors.ts';
import type { Reservation } from '../room/room.ts';
import type { Reply } from './ask.ts';
import { askForWhole } from './ask-whole.ts';
import { askForRest, isRest, type Known, type NoRest, type Rest } from './continuation.ts';
import type { OriginHead } from './judge.ts';
import { type FillContext, type FillHead, type FillOrder, fillHead } from './order.ts';
import { headOf, knownOf, recordOf } from './record.ts';
import { refusal, saidBy, unstorable } from './refusals.ts';
import { isStepBack, validatorsFor } from './revalidation.ts';
import { type Route, targetOf } from './route.ts';

/** A body on its way: the file it goes to, and what is known of it. */
export interface Stream {
  /** Where it comes from, and what would have to come from there if it broke off. */
  readonly route: Route;
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

/** The beginning of a body. */
export interface BodyBeginning {
  readonly kind: 'body';
  readonly stream: Stream;
  readonly first: Rest;
  /** An earlier partial was of another file, from this byte on. */
  readonly differsAt?: number;
}

/** How a fill begins. */
export type Beginning =
  | { readonly kind: 'unchanged'; readonly source: SourceUrl }
  /** `certain`: every source that works said that there is no such file. */
  | { readonly kind: 'refused'; readonly error: CacheError; readonly certain: boolean }
  | BodyBeginning;

/** Where a fill stands before its first byte. */
export interface Starting {
  readonly order: FillOrder;
  readonly context: FillContext;
  readonly signal: AbortSignal;
  /** The lengths that the file may have; any, when nothing is said. */
  readonly sizes: readonly number[] | undefined;
}

/**
 * Goes on with what an earlier fill left, or asks for the whole.
 *
 * @throws CacheError `storage` when there is no file to write to.
 */
export async function begin(starting: Starting): Promise<Beginning> {
  const { order, context, sizes } = starting;
  const sources = context.asking().health.order(order.route.repository.sources);
  const kept = order.mutable ? undefined : await context.partials.find(order.route.key);
  if (kept === undefined) return await beginAnew(starting, sources);
  const fits = sizes?.includes(kept.record.length) !== false;
  const resumed = fits ? await resume(kept, starting) : undefined;
  if (resumed !== undefined) return resumed;
  const fresh = await beginAnew(starting, sources);
  // How far the two files agree nobody knows: a client may hold bytes of the old one.
  return fresh.kind === 'body' ? { ...fresh, differsAt: 0 } : fresh;
}

/**
 * Asks for the whole, in the order of the sources.
 *
 * @throws CacheError `storage` when there is no file to write to.
 */
export async function beginAnew(
  starting: Starting,
  sources: readonly SourceUrl[],
): Promise<Beginning> {
  const { order } = starting;
  const reply = await askOrdered(starting, sources);
  if (reply.kind === 'unchanged') return reply;
  if (reply.kind === 'good') return await beginBody(starting, reply);
  const isGone = reply.kind === 'missing' && reply.certain;
  const rescued = isGone ? await beginRescue(starting) : undefined;
  if (rescued?.kind === 'body') return rescued;
  const further = rescued?.kind === 'refused' ? saidBy(rescued.error) : [];
  return refused(order, { ...reply, said: [...reply.said, ...further] });
}

// Never without a digest: what is elsewhere under that name may be anything.
async function beginRescue(starting: Starting): Promise<Beginning | undefined> {
  const { order, context, sizes } = starting;
  const route = sizes === undefined ? undefined : await context.rescue(order.route);
  if (route === undefined) return undefined;
  const rescued = { ...starting, order: { ...order, route } };
  const { sources } = route.repository;
  const beginning = await beginAnew(rescued, context.asking().health.order(sources));
  if (beginning.kind !== 'body') return beginning;
  // A later fill would look for the rest at the sources, which do not have it.
  return { ...beginning, stream: { ...beginning.stream, record: undefined } };
}

async function beginBody(starting: Starting, reply: Reply & { kind: 'good' }): Promise<Beginning> {
  const { order, context, sizes } = starting;
  const { source, answer } = reply;
  if (isStepBack(order.previous, reply)) {
    answer.exchange.discard();
    return { kind: 'unchanged', source };
  }
  const { route, mutable } = order;
  // Before the first byte: a client asks for an index's signature as soon as it has the index.
  if (mutable) context.sticky.note(route.key, source);
  const head = withSize(reply.head, sizes);
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
    stream: {
      ...opened,
      route,
      head: shown,
      origin: head,
      known,
      record: mutable ? undefined : record,
    },
    first: { source, answer, position: 0, foreign: false },
  };
}

// What a source does not tell, the Manifests may: its end is certain then, and its client sees how
// far it is.
function withSize(head: OriginHead, sizes: Starting['sizes']): OriginHead {
  const [size, ...others] = sizes ?? [];
  if (head.length !== undefined || size === undefined) return head;
  return others.length === 0 ? { ...head, framed: true, length: size } : { ...head, framed: true };
}

function askOrdered(
  { order, context, signal, sizes }: Starting,
  sources: readonly SourceUrl[],
): Promise<Reply> {
  const { route, mutable, previous } = order;
  const validators = previous === undefined ? undefined : validatorsFor(previous);
  return askForWhole(context.asking(), {
    sources: mutable ? context.sticky.order(route.key, sources) : sources,
    method: 'GET',
    ...targetOf(route),
    expected: { path: route.path, mutable, conditional: validators !== undefined, sizes },
    ...(validators === undefined ? {} : { fields: validators }),
    signal,
  });
}

/** Undefined when the sources have another file by now. */
async function resume(
  { record, path, written }: KeptPartial,
  starting: Starting,
): Promise<Beginning | undefined> {
  const { order, context, signal, sizes } = starting;
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
    digestDecides: sizes !== undefined,
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
  return {
    kind: 'body',
    stream: {
      ...opened,
      route,
      head: headOf(record),
      origin: record,
      known: knownOf(record),
      record,
    },
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
    partial = await context.store.spare(open);
    before = partial.written;
    return { partial, reservation };
  } catch (cause) {
    reservation.release();
    throw unstorable(order.route.key, cause);
  }
}
