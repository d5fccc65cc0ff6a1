// The way of a request:
//
//   admit → route → look up → hit  ─→ respond → deliver
//                           → whole / miss ─→ collapse (join or start a fill) ↗
//                           → old ─→ revalidate ↗   (no source answers: stale)
//                           → pass (query string, directory) ↗

import type { IncomingMessage, ServerResponse } from 'node:http';
import { CacheError } from '../errors.ts';
import { fieldLines } from '../http/fields.ts';
import type { Route } from '../origin/route.ts';
import { logAccess } from './access-log.ts';
import { type Client, createClient } from './client.ts';
import type { ServeContext } from './context.ts';
import { checkRequest, dropBody, hopsOf } from './guard.ts';
import { respondStored } from './hit.ts';
import { lookUp } from './lookup.ts';
import { respondFilling, respondMissing } from './miss.ts';
import { respondPassed } from './pass.ts';
import { refuse } from './refuse.ts';
import { respondOld } from './revalidate.ts';
import { findRoute } from './target.ts';

/** The one page of our own: for supervisors and load balancers, and never logged. */
const HEALTH = '/.package-cache/health';

/** Answers one request. Whatever goes wrong, the client is told or its connection is broken. */
export async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  context: ServeContext,
): Promise<void> {
  const client = createClient(request, response, context.delivery);
  const isHealth = request.url === HEALTH;
  if (!isHealth) {
    context.counters.requests += 1;
    logAccess(client, context);
  }
  try {
    admit(client, context);
    // Also where there is none: Node's parser is at the head still, and after this at its end.
    await dropBody(request, response);
    if (isHealth) return respondHealth(response);
    const { config, policy } = context.settings();
    const route = findRoute(
      { target: request.url ?? '', host: fieldLines(request.rawHeaders, 'host')[0] },
      { repositories: config.repositories, policy, isOwn: context.isOwn },
    );
    await serve(client, { ...route, hops: hopsOf(request) }, context);
  } catch (error) {
    refuse(client, error, context);
  } finally {
    context.counters.bytesServed += client.sent;
  }
}

function respondHealth(response: ServerResponse): void {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Content-Length', 3);
  response.setHeader('Cache-Control', 'no-store');
  response.end('ok\n');
}

function admit(client: Client, { settings, id }: ServeContext): void {
  if (!settings().allowed.allows(client.address)) {
    // It may have been let in before a reload, and has no business with us any more.
    client.response.shouldKeepAlive = false;
    throw new CacheError('forbidden', {
      verb: 'serve',
      thing: client.address,
      reason: 'the address is not in ALLOW',
    });
  }
  checkRequest(client.request, id);
}

async function serve(client: Client, route: Route, context: ServeContext): Promise<void> {
  if (route.pass) return await respondPassed(client, route, context);
  const found = await lookUp(client, route, context);
  switch (found.kind) {
    case 'miss':
      return await respondMissing(client, { route, mutable: found.mutable }, context);
    case 'whole':
      try {
        context.counters.hits += 1;
        return await respondFilling(client, { ...found, cacheStatus: { hit: true } }, context);
      } finally {
        context.counters.bytesHit += client.sent;
        found.fill.leave();
      }
    case 'hit':
    case 'old':
      try {
        if (found.kind === 'old') return await respondOld(client, { ...found, route }, context);
        context.counters.hits += 1;
        return await respondStored(client, { ...found, cacheStatus: { hit: true } }, context);
      } finally {
        found.entry.file.release();
      }
  }
}
