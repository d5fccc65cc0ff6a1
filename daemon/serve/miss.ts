import { setTimeout as delay } from 'node:timers/promises';
import type { Body } from '../cache/body.ts';
import { CacheError } from '../errors.ts';
import type { CacheStatus } from '../http/cache-status.ts';
import { fieldValue } from '../http/fields.ts';
import { contentTypeOf } from '../http/media-type.ts';
import type { Question } from '../origin/ask.ts';
import { askForWhole } from '../origin/ask-whole.ts';
import type { Fill } from '../origin/fill.ts';
import type { FillHead } from '../origin/order.ts';
import { digestsFor, sizesOf } from '../origin/proof.ts';
import { refusal } from '../origin/refusals.ts';
import { type Route, targetOf } from '../origin/route.ts';
import { type Client, whileThere } from './client.ts';
import type { ServeContext } from './context.ts';
import type { Window } from './deliver.ts';
import { orLayoutConf } from './layout-conf.ts';
import { respond } from './respond.ts';
import { isFarAhead, passTail } from './tail.ts';
import { isDiskTrouble, respondUnstored } from './unstored.ts';

/** So long, in ms, a range waits for a length that is not known: most bodies without one are small. */
const LENGTH_PATIENCE = 3000;

/** What is missing, and whether its name may change. */
export interface Missing {
  readonly route: Route;
  readonly mutable: boolean;
}

/** Starts the fill of a key, or joins it, and answers from it. A HEAD starts none. */
export function respondMissing(
  client: Client,
  missing: Missing,
  context: ServeContext,
): Promise<void> {
  const answer = () => answerMissing(client, missing, context);
  return orLayoutConf(client, { route: missing.route, answer }, context);
}

async function answerMissing(
  client: Client,
  { route, mutable }: Missing,
  context: ServeContext,
): Promise<void> {
  if (client.cacheControl.onlyIfCached) throw notStored(route);
  const running = context.fills.get(route.key);
  if (client.method === 'HEAD' && running === undefined) {
    return await respondHead(client, { route, mutable }, context);
  }
  const { fill, collapsed } = context.fills.join({ route, mutable });
  if (collapsed) context.counters.collapsed += 1;
  else context.counters.misses += 1;
  try {
    const start = await fill.start.catch((error: unknown) => {
      if (isDiskTrouble(error)) return error;
      throw error;
    });
    if (start instanceof CacheError) {
      const detail = start.detail ?? start.code;
      return await respondUnstored(client, { route, mutable, detail }, context);
    }
    if (start.kind === 'body') {
      const cacheStatus: CacheStatus = {
        fwd: 'uri-miss',
        ...(start.head.stored ? { stored: true as const } : {}),
        ...(collapsed ? { collapsed: true as const } : {}),
      };
      return await respondFilling(client, { fill, head: start.head, cacheStatus }, context);
    }
  } finally {
    fill.leave();
  }
  // That was the check of a copy that is gone by now: a fill without one has a body.
  await fill.finished;
  await answerMissing(client, { route, mutable }, context);
}

/** A fill whose body is to be answered with; the caller is a member of it. */
export interface Filling {
  readonly fill: Fill;
  readonly head: FillHead;
  readonly cacheStatus: CacheStatus;
}

/** Answers from a fill in progress. */
export async function respondFilling(
  client: Client,
  { fill, head, cacheStatus }: Filling,
  context: ServeContext,
): Promise<void> {
  fill.clients += 1;
  const body = fill.reader();
  try {
    await respond(client, {
      body,
      ...waysAround(client, fill, context),
      length: await lengthFor(client, body),
      mtime: head.mtime,
      type: fill.order.mutable ? (head.type ?? typeOf(fill)) : typeOf(fill),
      cacheStatus,
      differsAt: context.fills.differsAt(fill.order.route.key),
      via: `1.1 ${context.id}`,
    });
  } finally {
    body.release();
  }
}

/** The length of a body that will only be known at its end, as far as the request needs it. */
async function lengthFor(client: Client, body: Body): Promise<number | undefined> {
  const asked = (name: string) => fieldValue(client.fields, name) !== undefined;
  // A range is a part of a length, and an entity tag of ours is made of one.
  const ranged = client.method === 'GET' && asked('range');
  const needed = ranged || asked('if-match') || asked('if-none-match');
  if (body.length === undefined && needed) await endWithin(body, LENGTH_PATIENCE);
  return body.length;
}

async function endWithin(body: Body, milliseconds: number): Promise<void> {
  const ended = new AbortController();
  const late = delay(milliseconds, undefined, { signal: ended.signal }).catch(() => {});
  const end = body.whenBeyond(Number.MAX_SAFE_INTEGER);
  await Promise.race([end, late]).finally(() => ended.abort());
}

// Only where a source can prove that it has the very file that the client was told of.
function waysAround(client: Client, fill: Fill, context: ServeContext) {
  const { elsewhere: body } = fill;
  if (body === undefined) return {};
  return {
    beyond: (window: Window) => passTail(client, { body, window }, context),
    isFar: (start: number) => isFarAhead(fill, start),
  };
}

function typeOf(fill: Fill): string {
  return contentTypeOf(fill.order.route.key);
}

async function respondHead(
  client: Client,
  { route, mutable }: Missing,
  context: ServeContext,
): Promise<void> {
  const { fills, counters } = context;
  fills.refuseMissing(route.key);
  counters.misses += 1;
  const asking = context.asking();
  const question: Question = {
    sources: fills.sourcesFor({ route, mutable }),
    method: 'HEAD',
    ...targetOf(route),
    expected: { path: route.path, mutable, sizes: sizesOf(digestsFor(route, context)) },
  };
  const reply = await whileThere(client, (signal) => askForWhole(asking, { ...question, signal }));
  switch (reply.kind) {
    case 'good': {
      reply.answer.exchange.discard();
      const { head } = reply;
      return await respond(client, {
        length: head.length,
        mtime: head.lastModified,
        type: mutable ? (head.type ?? contentTypeOf(route.key)) : contentTypeOf(route.key),
        cacheStatus: { fwd: 'uri-miss' },
        via: `1.1 ${context.id}`,
      });
    }
    case 'unchanged':
      throw notStored(route);
    default: {
      const error = refusal(route.key, reply);
      if (reply.kind === 'missing' && reply.certain) fills.noteMissing(route.key, error);
      throw error;
    }
  }
}

function notStored(route: Route): CacheError {
  return new CacheError('not-stored', {
    verb: 'serve',
    thing: route.key,
    reason: 'it is not stored, and only what is stored was asked for',
  });
}
