import { CacheError, describe } from '../errors.ts';
import type { Digest } from '../gentoo/digest-table.ts';
import { formatCacheStatus } from '../http/cache-status.ts';
import { formatHttpDate } from '../http/date.ts';
import { contentTypeOf } from '../http/media-type.ts';
import { ask, type Question, type Reply } from '../origin/ask.ts';
import type { Exchange } from '../origin/exchange.ts';
import { refusal } from '../origin/refusals.ts';
import { type Route, targetOf } from '../origin/route.ts';
import { startWatchdog } from '../origin/watchdog.ts';
import { withholdEnd } from '../origin/withhold.ts';
import { type Client, whileThere } from './client.ts';
import type { ServeContext } from './context.ts';

/** Silence that ends a passed body. */
const STALL = 30_000;

/** Forwards a listing or a query to the sources and its answer to the client; stores nothing. */
export async function respondPassed(
  client: Client,
  route: Route,
  context: ServeContext,
): Promise<void> {
  if (client.cacheControl.onlyIfCached) throw neverStored(route);
  context.counters.passed += 1;
  const asking = context.asking();
  const question: Question = {
    sources: asking.health.order(route.repository.sources),
    method: client.method,
    ...targetOf(route),
    expected: { path: route.path, mutable: true, page: true },
    passed: true,
  };
  const reply = await whileThere(client, (signal) => ask(asking, { ...question, signal }));
  if (reply.kind === 'unchanged') throw unasked(route);
  if (reply.kind !== 'good') throw refusal(route.upstreamPath, reply);
  setFields(client, { reply, route, via: `1.1 ${context.id}` });
  await forwardBody(client, { exchange: reply.answer.exchange }, context);
  client.response.end();
}

interface Passed {
  readonly reply: Reply & { kind: 'good' };
  readonly route: Route;
  readonly via: string;
}

function setFields(client: Client, { reply, route, via }: Passed): void {
  const { response } = client;
  const { length, lastModified, etag, type } = reply.head;
  client.cacheStatus = formatCacheStatus({ fwd: 'bypass' });
  response.statusCode = 200;
  response.setHeader('Content-Type', type ?? contentTypeOf(route.path));
  if (length !== undefined) response.setHeader('Content-Length', length);
  if (lastModified !== undefined) response.setHeader('Last-Modified', formatHttpDate(lastModified));
  if (etag !== undefined) response.setHeader('ETag', etag);
  response.setHeader('Cache-Status', client.cacheStatus);
  response.setHeader('Via', via);
}

/** A body that goes from a source straight to a client. */
export interface Forwarded {
  readonly exchange: Exchange;
  /** How many of its bytes to send; all there are, when nothing is said. */
  readonly bytes?: number | undefined;
  /** What the whole of it must be, where a Manifest tells. */
  readonly digests?: readonly Digest[];
}

/**
 * Hands a body on at the client's pace; a client that goes away ends it.
 *
 * @throws CacheError `source` when it breaks off.
 */
export async function forwardBody(
  client: Client,
  { exchange, bytes = Number.POSITIVE_INFINITY, digests = [] }: Forwarded,
  { counters }: Pick<ServeContext, 'counters'>,
): Promise<void> {
  const { response } = client;
  // A client that left while the sources were asked says so no second time.
  if (response.destroyed) return exchange.abort(new Error('the client is gone'));
  const ended = Promise.withResolvers<void>();
  let left = bytes;
  const { push, finish: release } = withholdEnd(digests, client.request.url ?? '');
  const write = (pieces: readonly Buffer[]): boolean => {
    for (const piece of pieces) {
      client.sent += piece.length;
      response.write(piece);
    }
    return !response.writableNeedDrain;
  };
  const stop = (error: Error) => {
    exchange.abort(error);
    ended.reject(error);
  };
  const watchdog = startWatchdog({ patience: STALL, stalled: stop });
  const finish = () => {
    ended.resolve();
    exchange.abort(new Error('nobody wants the rest'));
  };
  const drained = () => {
    watchdog.release();
    exchange.resume();
  };
  response.once('close', finish);
  response.on('drain', drained);
  response.flushHeaders();
  exchange.readBody({
    data: (chunk) => {
      counters.bytesFetched += chunk.length;
      watchdog.received(chunk.length);
      const wanted = chunk.length > left ? chunk.subarray(0, left) : chunk;
      left -= wanted.length;
      const ready = write(push(wanted));
      if (left === 0) return finish();
      if (ready) return;
      watchdog.hold();
      exchange.pause();
    },
    end: ended.resolve,
    fail: ended.reject,
  });
  try {
    await ended.promise;
  } catch (cause) {
    throw brokenOff(client, cause);
  } finally {
    watchdog.stop();
    response.off('close', finish);
    response.off('drain', drained);
  }
  if (left > 0 && bytes !== Number.POSITIVE_INFINITY && !response.destroyed) {
    throw brokenOff(client, new Error(`${left} bytes are missing`));
  }
  if (!response.destroyed) write(release());
}

function brokenOff(client: Client, cause: unknown): CacheError {
  return new CacheError('source', {
    verb: 'pass on',
    thing: client.request.url ?? '',
    reason: `the body broke off: ${describe(cause)}`,
    cause,
  });
}

function neverStored(route: Route): CacheError {
  return new CacheError('not-stored', {
    verb: 'serve',
    thing: route.upstreamPath,
    reason: 'directories and queries are never stored, and only what is stored was asked for',
  });
}

function unasked(route: Route): CacheError {
  return new CacheError('source', {
    verb: 'pass on',
    thing: route.upstreamPath,
    reason: 'a source answered 304 to a request without conditions',
  });
}
