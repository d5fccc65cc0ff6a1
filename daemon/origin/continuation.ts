import type { SourceUrl } from '../config/source-url.ts';
import { formatHttpDate } from '../http/date.ts';
import { type Asking, ask, type Reply } from './ask.ts';
import type { OriginHead } from './judge.ts';
import { type Route, targetOf } from './route.ts';

/** What is known of the file whose beginning we have. */
export interface Known {
  /** The URL of the source that gave its head. */
  readonly source: string;
  readonly length: number;
  /** Whole seconds since the epoch. */
  readonly lastModified?: number;
  readonly etag?: string;
}

/** The rest of a file, or a copy to compare with what we have. */
export interface Rest extends Pick<Reply & { kind: 'good' }, 'source' | 'answer'> {
  /** Where its first byte belongs: the end of what we have, or 0 for a copy to compare. */
  readonly position: number;
  /** The copy has another length. */
  readonly foreign: boolean;
}

/** What is to be continued, and whom to ask. */
export interface Continuation {
  readonly asking: Asking;
  readonly route: Route;
  readonly known: Known;
  /** How many bytes we have. */
  readonly offset: number;
  /** In the order to try them. */
  readonly sources: readonly SourceUrl[];
  /** The whole will be held against a digest: the same length will do to begin with. */
  readonly digestDecides?: boolean;
  readonly signal: AbortSignal;
}

/** What the sources came to, when none of them could go on. */
export type NoRest = Reply & { readonly kind: 'missing' | 'failed' };

/**
 * Asks for the rest of a file. A range is believed only with proof that it is the same file: 206,
 * the exact start, the same total length, and an equal Last-Modified or, from the same source, an
 * equal strong entity tag (RFC 9110 section 13.1.5); or with a digest for the whole. For want of ranges or validators, a whole
 * copy is asked for, to be compared with what we have.
 */
export async function askForRest(given: Continuation): Promise<Rest | NoRest> {
  const { known, offset } = given;
  const provable =
    given.digestDecides === true || known.lastModified !== undefined || isStrong(known.etag);
  if (provable) {
    const reply = await askProven(given, { orWhole: true });
    if (reply.kind === 'good') return restOf(reply, known);
    // Without a byte there is nothing to compare a copy with.
    if (offset === 0 || reply.kind === 'missing') return noRest(reply);
  }
  const reply = await askWhole(given);
  return reply.kind === 'good' ? restOf(reply, known) : noRest(reply);
}

/** Whether the sources gave something to go on with. */
export function isRest(found: Rest | NoRest): found is Rest {
  return 'answer' in found;
}

/** Asks for a range alone to pass on, with the same proof; never for a copy to compare. */
export function askForRange(given: Continuation): Promise<Reply> {
  return askProven(given, { orWhole: false });
}

function askProven(
  { asking, route, known, offset, sources, digestDecides = false, signal }: Continuation,
  { orWhole }: { readonly orWhole: boolean },
): Promise<Reply> {
  return ask(asking, {
    sources,
    method: 'GET',
    ...targetOf(route),
    expected: {
      path: route.path,
      mutable: false,
      ...(offset > 0 ? { offset, orWhole } : {}),
    },
    fields: (source) => {
      if (offset === 0) return {};
      return digestDecides ? { range: `bytes=${offset}-` } : rangeFields({ known, offset, source });
    },
    accept: ({ source, head, from }) => {
      // A whole copy is proven by comparison, if there is something to compare it with.
      if (from === 0 && offset > 0) return undefined;
      const isProven = digestDecides
        ? head.length === known.length
        : isSame({ known, head, source });
      return isProven ? undefined : 'another file of that name';
    },
    passed: !orWhole,
    signal,
  });
}

function askWhole({ asking, route, sources, signal }: Continuation): Promise<Reply> {
  return ask(asking, {
    sources,
    method: 'GET',
    ...targetOf(route),
    expected: { path: route.path, mutable: false },
    signal,
  });
}

interface Ranged {
  readonly known: Known;
  readonly offset: number;
  readonly source: SourceUrl;
}

function rangeFields({ known, offset, source }: Ranged): Record<string, string> {
  const range = { range: `bytes=${offset}-` };
  if (source.url === known.source && known.etag !== undefined && isStrong(known.etag)) {
    return { ...range, 'if-range': known.etag };
  }
  if (known.lastModified === undefined) return range;
  return { ...range, 'if-range': formatHttpDate(known.lastModified) };
}

interface Claim {
  readonly known: Known;
  readonly head: OriginHead;
  readonly source: SourceUrl;
}

function isSame({ known, head, source }: Claim): boolean {
  if (head.length !== known.length) return false;
  if (known.lastModified !== undefined && head.lastModified === known.lastModified) return true;
  return source.url === known.source && isStrong(known.etag) && head.etag === known.etag;
}

function isStrong(etag: string | undefined): boolean {
  return etag?.startsWith('"') === true;
}

function restOf(reply: Reply & { kind: 'good' }, known: Known): Rest {
  const { source, answer, head, from } = reply;
  const foreign = head.length !== undefined && head.length !== known.length;
  return { source, answer, position: from, foreign };
}

function noRest(reply: Exclude<Reply, { kind: 'good' }>): NoRest {
  return reply.kind === 'unchanged' ? { kind: 'failed', said: [] } : reply;
}
