// The one bypass: a window of a body that goes from a source straight to one client, unstored. It
// serves readers whose file cannot grow (the disk is full or failing, or there is no room for it)
// and a resume that lies far ahead of the fill.

import { setTimeout as delay } from 'node:timers/promises';
import type { SourceUrl } from '../config/source-url.ts';
import { askForRange, type Known } from '../origin/continuation.ts';
import type { Fill } from '../origin/fill.ts';
import { timeTo } from '../origin/fill-report.ts';
import type { Route } from '../origin/route.ts';
import { type Client, whileThere } from './client.ts';
import type { ServeContext } from './context.ts';
import type { Window } from './deliver.ts';
import { forwardBody } from './pass.ts';

/** A resume further ahead of the fill than this, in ms at its pace so far, does not wait. */
const FAR = 20_000;
/** It takes the fill so long, in ms, to have a pace. */
const WARM_UP = 1000;

/** A body that a source can be asked for in part. */
export interface TailBody {
  readonly route: Route;
  /** What an answer has to match: the length and the validator that the client was told. */
  readonly known: Known;
  /** Who is asked first. */
  readonly source: SourceUrl | undefined;
}

/**
 * Sends a window of a body to a client from a source of its own.
 *
 * @returns false, with nothing sent, when no source proves that it has the same file.
 * @throws CacheError `source` when it breaks off under way.
 */
export async function passTail(
  client: Client,
  { body, window }: { readonly body: TailBody; readonly window: Window },
  context: ServeContext,
): Promise<boolean> {
  const { route, known, source } = body;
  const asking = context.asking();
  const sources = asking.health
    .order(route.repository.sources)
    .toSorted((left, right) => Number(right === source) - Number(left === source));
  const reply = await whileThere(client, (signal) =>
    askForRange({ asking, route, known, offset: window.start, sources, signal }),
  );
  if (reply.kind !== 'good') return false;
  context.counters.passed += 1;
  const end = window.end ?? known.length;
  const { exchange } = reply.answer;
  await forwardBody(client, { exchange, bytes: end - window.start }, context);
  return true;
}

/** Whether a fill will take too long to reach an offset; waits until it has a pace. */
export async function isFarAhead(fill: Fill, offset: number): Promise<boolean> {
  const running = Date.now() - fill.startedAt;
  if (timeTo(fill.report(), offset) > 0 && running < WARM_UP) {
    await Promise.race([delay(WARM_UP - running), fill.finished]);
  }
  return timeTo(fill.report(), offset) > FAR;
}
