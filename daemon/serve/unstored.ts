import { CacheError } from '../errors.ts';
import { contentTypeOf } from '../http/media-type.ts';
import type { Question } from '../origin/ask.ts';
import { askForWhole } from '../origin/ask-whole.ts';
import type { OriginHead } from '../origin/judge.ts';
import { fillHead } from '../origin/order.ts';
import { digestsFor, sizesOf } from '../origin/proof.ts';
import { knownOf, recordOf } from '../origin/record.ts';
import { refusal } from '../origin/refusals.ts';
import { type Route, targetOf } from '../origin/route.ts';
import { type Client, whileThere } from './client.ts';
import type { ServeContext } from './context.ts';
import type { Window } from './deliver.ts';
import { forwardBody } from './pass.ts';
import { respond } from './respond.ts';
import { passTail } from './tail.ts';

/** A package that cannot be stored now. */
export interface Unstored {
  readonly route: Route;
  readonly mutable: boolean;
  /** Why not, for Cache-Status. */
  readonly detail: string;
}

/** Whether an error means that the disk is to blame, and the package may be had all the same. */
export function isDiskTrouble(error: unknown): error is CacheError {
  return error instanceof CacheError && (error.code === 'no-room' || error.code === 'storage');
}

/** Passes a package on from a source without storing it, with ranges and conditions as ever. */
export async function respondUnstored(
  client: Client,
  { route, mutable, detail }: Unstored,
  context: ServeContext,
): Promise<void> {
  context.counters.passed += 1;
  const asking = context.asking();
  const digests = digestsFor(route, context);
  const question: Question = {
    sources: context.fills.sourcesFor({ route, mutable }),
    method: 'GET',
    ...targetOf(route),
    expected: { path: route.path, mutable, sizes: sizesOf(digests) },
    passed: true,
  };
  const reply = await whileThere(client, (signal) => askForWhole(asking, { ...question, signal }));
  if (reply.kind === 'unchanged') throw refusal(route.key, { kind: 'failed', said: [] });
  if (reply.kind !== 'good') throw refusal(route.key, reply);
  const { head, source, answer } = reply;
  const { mtime } = fillHead(head);
  const record = recordOf({ route, head, source, mtime });
  let untouched = true;
  const dismiss = () => {
    if (untouched) answer.exchange.abort(new Error('its body was not asked for'));
    untouched = false;
  };
  const beyond = async (window: Window): Promise<boolean> => {
    if (window.start === 0 && untouched) {
      untouched = false;
      const bytes = window.end ?? head.length;
      const isWhole = bytes === head.length;
      await forwardBody(
        client,
        { exchange: answer.exchange, bytes, ...(isWhole && { digests }) },
        context,
      );
      return true;
    }
    if (record === undefined) return false;
    // It must not wait for the place at the source that this one holds.
    dismiss();
    const body = { route, known: knownOf(record), source };
    return await passTail(client, { body, window }, context);
  };
  try {
    await respond(client, {
      beyond,
      length: head.length,
      mtime,
      type: typeOf({ route, mutable, head }),
      cacheStatus: { fwd: 'uri-miss', detail },
      via: `1.1 ${context.id}`,
    });
  } finally {
    dismiss();
  }
}

interface Typed {
  readonly route: Route;
  readonly mutable: boolean;
  readonly head: OriginHead;
}

function typeOf({ route, mutable, head }: Typed): string {
  return mutable ? (head.type ?? contentTypeOf(route.key)) : contentTypeOf(route.key);
}
