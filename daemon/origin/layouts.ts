import {
  type DistfileLayout,
  flatLayout,
  foldersIn,
  hashedLayout,
  parseLayoutConf,
} from '../gentoo/layout-conf.ts';
import type { Exchange } from './exchange.ts';
import {
  type Attempt,
  type Upstream,
  type UpstreamAnswer,
  type UpstreamRequest,
  untilOver,
} from './request.ts';

/** What a source said of its layout holds for so long, in ms; then a missing file has it asked anew. */
const HOLDS = 600_000;
/** So long, in ms, a source may take to say how it arranges its files. */
const PATIENCE = 10_000;
/** A layout.conf is never longer. */
const LONGEST = 16 * 1024;

/** With these a source says that it has no such file; what S3 does not have is forbidden. */
const MISSING = new Set([403, 404, 410]);

/** A request for a distfile, wherever the source keeps it. */
type DistfileRequest = UpstreamRequest & { readonly distfile: string };

/**
 * Asks every source for distfiles where it keeps them. All Gentoo mirrors have one layout, which is
 * tried first; only a source that lacks the file there is asked for its `layout.conf` (GLEP 75).
 */
export function followLayouts(upstream: Upstream, now: () => number = Date.now): Upstream {
  const book = createLayoutBook(upstream, now);
  return {
    ask: (request) =>
      isForDistfile(request) ? askAround(upstream, request, book) : upstream.ask(request),
    close: () => upstream.close(),
  };
}

function isForDistfile(request: UpstreamRequest): request is DistfileRequest {
  return request.distfile !== undefined;
}

function askAround(upstream: Upstream, request: DistfileRequest, book: LayoutBook): Attempt {
  const attempts: Attempt[] = [];
  let aborted: Error | undefined;
  const send = (layout: DistfileLayout): Promise<UpstreamAnswer> => {
    if (aborted !== undefined) throw aborted;
    const attempt = upstream.ask({ ...request, path: pathIn(layout, request) });
    attempts.push(attempt);
    return attempt.answer;
  };
  const find = async (): Promise<UpstreamAnswer> => {
    const first = book.first(request);
    const tried = new Set([pathIn(first, request)]);
    let answer = await send(first);
    if (!MISSING.has(answer.status)) return answer;
    for (const layout of await book.others(request)) {
      const path = pathIn(layout, request);
      if (tried.has(path)) continue;
      tried.add(path);
      answer.exchange.discard();
      answer = await send(layout);
      if (MISSING.has(answer.status)) continue;
      book.works(request, layout);
      break;
    }
    return answer;
  };
  const answer = find();
  // An attempt that is given up has nobody left who waits for its answer.
  answer.catch(() => {});
  return {
    answer,
    over: untilOver(answer, attempts),
    abort: (reason) => {
      aborted ??= reason;
      attempts.at(-1)?.abort(reason);
    },
  };
}

// The name goes out as the client spelled it.
function pathIn(layout: DistfileLayout, { path, distfile }: DistfileRequest): string {
  return `distfiles/${foldersIn(layout, distfile)}${path.slice(path.lastIndexOf('/') + 1)}`;
}

interface LayoutBook {
  /** The layout in which a source last had a file that it lacked in another. */
  first(request: UpstreamRequest): DistfileLayout;
  /** What its `layout.conf` says, which is asked for unless that was done lately. */
  others(request: UpstreamRequest): Promise<readonly DistfileLayout[]>;
  works(request: UpstreamRequest, layout: DistfileLayout): void;
}

interface Asked {
  readonly at: number;
  readonly layouts: Promise<readonly DistfileLayout[]>;
}

/** One line for each source that lacked a file: as many as are configured. */
function createLayoutBook(upstream: Upstream, now: () => number): LayoutBook {
  const working = new Map<string, DistfileLayout>();
  const asked = new Map<string, Asked>();
  return {
    first: ({ source }) => working.get(source.url) ?? hashedLayout,
    others: ({ source, hops }) => {
      const before = asked.get(source.url);
      if (before !== undefined && now() - before.at < HOLDS) return before.layouts;
      const layouts = fetchLayouts(upstream, { source, hops });
      asked.set(source.url, { at: now(), layouts });
      return layouts;
    },
    works: ({ source }, layout) => void working.set(source.url, layout),
  };
}

/**
 * The layouts that a source may have: the one it names; without the file a flat one (GLEP 75), or
 * that of all mirrors after all; none for want of an answer that can be understood.
 */
async function fetchLayouts(
  upstream: Upstream,
  place: Pick<UpstreamRequest, 'source' | 'hops'>,
): Promise<readonly DistfileLayout[]> {
  const attempt = upstream.ask({ ...place, method: 'GET', path: 'distfiles/layout.conf' });
  const late = () => attempt.abort(new Error('no layout.conf in time'));
  const timer = setTimeout(late, PATIENCE);
  try {
    const { status, exchange } = await attempt.answer;
    if (status === 200) {
      const layout = parseLayoutConf(await readText(exchange));
      return layout === undefined ? [] : [layout];
    }
    exchange.discard();
    return MISSING.has(status) ? [flatLayout, hashedLayout] : [];
  } catch {
    // The file itself was asked for and was missing, and that is what the client hears.
    return [];
  } finally {
    clearTimeout(timer);
  }
}

function readText(exchange: Exchange): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  exchange.readBody({
    data: (chunk) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > LONGEST) exchange.abort(new Error('too long for a layout.conf'));
    },
    end: () => resolve(Buffer.concat(chunks).toString()),
    fail: reject,
  });
  return promise;
}
