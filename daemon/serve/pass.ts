import { CacheError } from '../errors.ts';
import { formatCacheStatus } from '../http/cache-status.ts';
import { formatHttpDate } from '../http/date.ts';
import { contentTypeOf } from '../http/media-type.ts';
import { ask, type Reply } from '../origin/ask.ts';
import type { Exchange } from '../origin/exchange.ts';
import { refusal } from '../origin/refusals.ts';
import type { Route } from '../origin/route.ts';
import { startWatchdog } from '../origin/watchdog.ts';
import type { Client } from './client.ts';
import type { ServeContext } from './context.ts';

/** Silence that ends a passed body. */
const STALL = 30_000;

/** Forwards a listing or a query to the sources and its answer to the client; stores nothing. */
export async function respondPassed(
  client: Client,
  route: Route,
  context: ServeContext,
): Promise<void> {
  context.counters.passed += 1;
  const asking = context.asking();
  const reply = await ask(asking, {
    sources: asking.health.order(route.repository.sources),
    method: client.method,
    path: route.upstreamPath,
    expected: { path: route.path, mutable: true, page: true },
  });
  if (reply.kind === 'unchanged') throw unasked(route);
  if (reply.kind !== 'good') throw refusal(route.upstreamPath, reply);
  setFields(client, { reply, route, via: `1.1 ${context.id}` });
  await forwardBody(client, reply.answer.exchange, context);
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

/**
 * Hands a body on at the client's pace; a client that goes away ends it.
 *
 * @throws CacheError `source` when it breaks off.
 */
export async function forwardBody(
  client: Client,
  exchange: Exchange,
  { counters }: Pick<ServeContext, 'counters'>,
): Promise<void> {
  const { response } = client;
  const ended = Promise.withResolvers<void>();
  const stop = (error: Error) => {
    exchange.abort(error);
    ended.reject(error);
  };
  const watchdog = startWatchdog({ patience: STALL, stalled: stop });
  const left = () => {
    exchange.abort(new Error('the client is gone'));
    ended.resolve();
  };
  const drained = () => {
    watchdog.release();
    exchange.resume();
  };
  response.once('close', left);
  response.on('drain', drained);
  response.flushHeaders();
  exchange.readBody({
    data: (chunk) => {
      counters.bytesFetched += chunk.length;
      watchdog.received(chunk.length);
      client.sent += chunk.length;
      if (response.write(chunk)) return;
      watchdog.hold();
      exchange.pause();
    },
    end: ended.resolve,
    fail: ended.reject,
  });
  try {
    await ended.promise;
  } catch (cause) {
    throw new CacheError('source', {
      verb: 'pass on',
      thing: client.request.url ?? '',
      reason: 'the body broke off',
      cause,
    });
  } finally {
    watchdog.stop();
    response.off('close', left);
    response.off('drain', drained);
  }
  response.end();
}

function unasked(route: Route): CacheError {
  return new CacheError('source', {
    verb: 'pass on',
    thing: route.upstreamPath,
    reason: 'a source answered 304 to a request without conditions',
  });
}
