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
    const assumed = book.of(request) ?? hashedLayout;
    const answer = await send(assumed);
    if (!MISSING.has(answer.status)) return answer;
    const learnt = await book.learn(request);
    if (learnt === undefined || pathIn(learnt, request) === pathIn(assumed, request)) return answer;
    answer.exchange.discard();
    return await send(learnt);
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
  of(request: UpstreamRequest): DistfileLayout | undefined;
  /** Asks the source, unless that was done lately; undefined where it does not tell. */
  learn(request: UpstreamRequest): Promise<DistfileLayout | undefined>;
}

interface Learnt {
  readonly at: number;
  readonly layout: Promise<DistfileLayout | undefined>;
}

/** One line for each source that lacked a file: as many as are configured. */
function createLayoutBook(upstream: Upstream, now: () => number): LayoutBook {
  const layouts = new Map<string, DistfileLayout>();
  const asked = new Map<string, Learnt>();
  return {
    of: ({ source }) => layouts.get(source.url),
    learn: ({ source, hops }) => {
      const before = asked.get(source.url);
      if (before !== undefined && now() - before.at < HOLDS) return before.layout;
      const layout = fetchLayout(upstream, { source, hops }).then((found) => {
        if (found !== undefined) layouts.set(source.url, found);
        return found ?? layouts.get(source.url);
      });
      asked.set(source.url, { at: now(), layout });
      return layout;
    },
  };
}

/** The layout of a source; undefined for want of an answer that can be understood. */
async function fetchLayout(
  upstream: Upstream,
  place: Pick<UpstreamRequest, 'source' | 'hops'>,
): Promise<DistfileLayout | undefined> {
  const attempt = upstream.ask({ ...place, method: 'GET', path: 'distfiles/layout.conf' });
  const late = () => attempt.abort(new Error('no layout.conf in time'));
  const timer = setTimeout(late, PATIENCE);
  try {
    const { status, exchange } = await attempt.answer;
    if (status === 200) return parseLayoutConf(await readText(exchange));
    exchange.discard();
    return MISSING.has(status) ? flatLayout : undefined;
  } catch {
    // The file itself was asked for and was missing, and that is what the client hears.
    return undefined;
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
