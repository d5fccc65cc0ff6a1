import type { SourceUrl } from '../config/source-url.ts';
import { CacheError } from '../errors.ts';
import { fieldValue } from '../http/fields.ts';
import { isPublicAddress, isPublicHost } from './address.ts';
import type { ConnectionMemory, ConnectionOptions, Dispatchers, WayOut } from './connect.ts';
import { type AnswerHead, Exchange, RESET } from './exchange.ts';

/** So long after the start, in ms, undici is loaded if nobody has needed it: hits do not. */
const LOAD_AFTER = 1000;
const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** What is asked of a source; nothing of a client's request but the path gets here. */
export interface UpstreamRequest {
  readonly source: SourceUrl;
  readonly method: 'GET' | 'HEAD';
  /** Below the source's base, in the client's own spelling, with the query if there is one. */
  readonly path: string;
  /** The name of the Gentoo distfile that the path means, wherever the source keeps it. */
  readonly distfile?: string | undefined;
  /** The caches like this one that the request came through: the one thing of a client's we hand on. */
  readonly hops?: readonly string[] | undefined;
  /** Our own validators or range, by lower-case name. */
  readonly fields?: Readonly<Record<string, string>>;
  /** The body goes on to a client, at that client's pace. */
  readonly passed?: boolean | undefined;
  /** Told when the request is sent, which may have to wait for its turn. */
  readonly sending?: () => void;
}

/** A final answer, redirects followed. */
export interface UpstreamAnswer extends AnswerHead {
  /** Where it came from in the end, without credentials. */
  readonly url: string;
  readonly exchange: Exchange;
}

/** A request under way. */
export interface Attempt {
  readonly answer: Promise<UpstreamAnswer>;
  /** Resolves when nothing of it is on its way any more: no head, no body, no redirection. */
  readonly over: Promise<void>;
  /** Gives it up, before or after the head. */
  abort(reason: Error): void;
}

/** The one way out to the sources. */
export interface Upstream {
  ask(request: UpstreamRequest): Attempt;
  close(): Promise<void>;
}

/** What every request carries, and how connections are made. */
export interface UpstreamOptions extends ConnectionOptions {
  readonly userAgent: string;
  /** Our own id, for Via (RFC 9110 section 7.6.3) and CDN-Loop (RFC 8586). */
  readonly id: string;
  /** Told of the bytes of every piece of every body. */
  readonly received?: (bytes: number) => void;
}

/** Opens the way out: connections are kept and used again, one request at a time on each. */
export function createUpstream(options: UpstreamOptions): Upstream {
  const memory: ConnectionMemory = { families: new Map(), starting: undefined };
  let loading: Promise<Dispatchers> | undefined;
  const dispatchers = (): Promise<Dispatchers> => {
    loading ??= import('./connect.ts').then(({ createDispatchers }) =>
      createDispatchers({ options, memory }),
    );
    return loading;
  };
  // Whoever asks first hears of a failure.
  const timer = setTimeout(() => void dispatchers().catch(() => {}), LOAD_AFTER).unref();
  const standing = {
    accept: '*/*',
    // A coded body could not be handed on byte for byte.
    'accept-encoding': 'identity',
  };
  const context: Context = { dispatchers, standing, memory, options };
  return {
    ask: (request) => startAttempt(context, request),
    close: async () => {
      clearTimeout(timer);
      // Whoever asked has heard of it if it could not be loaded; then nothing is open.
      const opened = await loading?.catch(() => undefined);
      await Promise.all([opened?.anywhere.destroy(), opened?.publicOnly.destroy()]);
    },
  };
}

interface Context {
  readonly dispatchers: () => Promise<Dispatchers>;
  readonly standing: Readonly<Record<string, string>>;
  readonly options: UpstreamOptions;
  readonly memory: ConnectionMemory;
}

/** One hop of a request: where to, and what with. */
interface Hop {
  readonly origin: string;
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly dispatcher: WayOut;
}

function startAttempt(context: Context, request: UpstreamRequest): Attempt {
  const exchanges: Exchange[] = [];
  let aborted: Error | undefined;
  const send = async (hop: Hop): Promise<UpstreamAnswer> => {
    if (aborted !== undefined) throw aborted;
    let kept = false;
    const exchange = new Exchange(() => {
      context.memory.starting = (connection) => {
        kept = connection.kept;
      };
    }, context.options.received);
    exchanges.push(exchange);
    const { origin, path, fields, dispatcher } = hop;
    dispatcher.dispatch({ origin, path, method: request.method, headers: fields }, exchange);
    const head = await exchange.head.catch((error: unknown) => {
      if (kept && isBrokenConnection(error)) return undefined;
      throw error;
    });
    // A kept connection may be closed by the source while the request is on its way: the request
    // was not refused, so it is sent once more (RFC 9110 section 9.2.2), and only in that case.
    return head === undefined ? send(hop) : { ...head, url: `${origin}${path}`, exchange };
  };
  const answer = follow(context, { request, send });
  // An attempt that is given up has nobody left who waits for its answer.
  answer.catch(() => {});
  return {
    answer,
    over: untilOver(answer, exchanges),
    abort: (reason) => {
      aborted ??= reason;
      exchanges.at(-1)?.abort(reason);
    },
  };
}

/** Resolves when an answer is there, or will not come, and all that it took is over. */
export async function untilOver(
  answer: Promise<unknown>,
  parts: readonly { readonly over: Promise<void> }[],
): Promise<void> {
  await answer.catch(() => {});
  await Promise.all(parts.map(({ over }) => over));
}

interface Following {
  readonly request: UpstreamRequest;
  readonly send: (hop: Hop) => Promise<UpstreamAnswer>;
}

async function follow(context: Context, { request, send }: Following): Promise<UpstreamAnswer> {
  const { source } = request;
  const dispatchers = await context.dispatchers();
  let hop: Hop = {
    origin: source.origin,
    path: source.basePath + request.path,
    fields: {
      'user-agent': context.options.userAgent,
      ...trace([...(request.hops ?? []), context.options.id]),
      ...context.standing,
      ...request.fields,
      ...(source.authorization === undefined ? {} : { authorization: source.authorization }),
    },
    dispatcher: dispatchers.anywhere,
  };
  for (let redirects = 0; ; redirects += 1) {
    const answer = await send(hop);
    const location = fieldValue(answer.fields, 'location');
    if (!REDIRECTS.has(answer.status) || location === undefined) return answer;
    answer.exchange.discard();
    if (redirects === MAX_REDIRECTS) {
      throw refusal(source, `it redirects more than ${MAX_REDIRECTS} times`);
    }
    hop = await nextHop(dispatchers, { hop, location, source });
  }
}

// RFC 8586 section 2: without the ids of those before us a ring of caches would go round for ever.
function trace(hops: readonly string[]): Record<string, string> {
  return { via: hops.map((hop) => `1.1 ${hop}`).join(', '), 'cdn-loop': hops.join(', ') };
}

function isBrokenConnection(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'UND_ERR_SOCKET' || code === RESET || code === 'EPIPE';
}

interface Redirect {
  readonly hop: Hop;
  readonly location: string;
  readonly source: SourceUrl;
}

async function nextHop(
  dispatchers: Dispatchers,
  { hop, location, source }: Redirect,
): Promise<Hop> {
  // Where servers put what is not ASCII into a Location, it is UTF-8, as their links are.
  const text = Buffer.from(location, 'latin1').toString();
  const target = URL.parse(text, `${hop.origin}${hop.path}`);
  if (target === null || !/^https?:$/.test(target.protocol)) {
    throw refusal(source, 'it redirects to something that is not an http or https URL');
  }
  const { authorization, ...fields } = hop.fields;
  const same = target.origin === hop.origin && authorization !== undefined;
  return {
    origin: target.origin,
    path: target.pathname + target.search,
    // Credentials are the source's own: no other host gets them.
    fields: same ? { ...fields, authorization } : fields,
    dispatcher: await dispatcherFor(dispatchers, { hop, target, source }),
  };
}

interface Destination {
  readonly hop: Hop;
  readonly target: URL;
  readonly source: SourceUrl;
}

// A public mirror must not be able to make us fetch from the inside of the LAN.
async function dispatcherFor(
  { anywhere, publicOnly }: Dispatchers,
  { hop, target, source }: Destination,
) {
  const guarded = hop.dispatcher === publicOnly || (await isPublicHost(source.hostname));
  if (!guarded) return anywhere;
  const host = target.hostname.replace(/^\[|\]$/g, '');
  if (/^[\d.]+$|:/.test(host) && !isPublicAddress(host)) {
    throw refusal(source, `it redirects to the private address ${host}`);
  }
  return publicOnly;
}

function refusal(source: SourceUrl, reason: string): CacheError {
  return new CacheError('source', { verb: 'fetch from', thing: source.url, reason });
}
