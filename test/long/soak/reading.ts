import { type Answer, connection, type Head, open, type Stream } from '../../helpers/client.ts';
import { Comparison } from './comparison.ts';
import type { Ask } from './expected.ts';
import type { Tally } from './tally.ts';

/** Where to ask, and where it is counted what came of it. */
export interface Place {
  readonly port: number;
  /** The URL of a source, for those who take the daemon for a proxy. */
  readonly source: string;
  readonly tally: Tally;
}

/** So long nothing may come, in ms: a client has its first byte or its error within 45 s. */
const SILENCE = 75_000;

/** Reads one answer at the client's own pace, and compares every byte of it. */
export interface Reading {
  readonly head: Head;
  /** Reads so many bytes more, or what is left when that is less. */
  take(bytes: number): Promise<void>;
  /** Reads on to the end, and counts how it went. */
  finish(): Promise<void>;
  /** Goes away in the middle, with a goodbye or without. */
  leave(how: 'destroy' | 'reset'): void;
}

/** Asks, and looks at the head of the answer. It throws for what nothing in the world explains. */
export async function read({ port, tally }: Place, ask: Ask): Promise<Reading> {
  const stream = open({ ...ask, port, silence: SILENCE });
  const guard = <T>(work: () => Promise<T>) => guarded({ ask, stream, work });
  const head = await guard(() => stream.head);
  const comparison = await guard(async () => new Comparison(ask, head));
  return {
    head,
    take: (bytes) => guard(async () => comparison.take(await stream.read(bytes))),
    finish: () =>
      guard(async () => {
        const answer = await stream.rest();
        comparison.take(answer.body);
        tally.count(comparison.end(answer));
        stream.destroy();
      }),
    leave: (how) => {
      tally.count('good left');
      stream[how]();
    },
  };
}

/** Asks, and reads it all. */
export async function get(place: Place, ask: Ask): Promise<void> {
  const reading = await read(place, ask);
  await reading.finish();
}

/** Asks for several on one connection, one right behind the other. */
export async function pipeline({ port, tally }: Place, asks: readonly Ask[]): Promise<void> {
  const stream = connection({ port, silence: SILENCE });
  const sent = asks.map((ask) => ({ ask, answer: stream.send(ask) }));
  // Behind one that breaks off nothing comes.
  for (const { answer } of sent) answer.catch(() => {});
  let ended = 'complete';
  for (const { ask, answer } of sent) {
    if (ended !== 'complete') break;
    ended = await guarded({
      ask,
      stream,
      work: async () => {
        const got = await answer.catch(unlessReset);
        tally.count(got === undefined ? 'broken' : verdictOn(ask, got));
        return got?.ended ?? 'reset';
      },
    });
  }
  stream.destroy();
}

/** The head waits for its turn, and is gone when the connection breaks before that. */
function unlessReset(error: Error): undefined {
  if (!error.message.startsWith('No answer: reset')) throw error;
}

function verdictOn(ask: Ask, answer: Answer): string {
  const comparison = new Comparison(ask, answer);
  comparison.take(answer.body);
  return comparison.end(answer);
}

interface Guarded<T> {
  readonly ask: Ask;
  readonly stream: Pick<Stream, 'destroy'>;
  readonly work: () => Promise<T>;
}

async function guarded<T>({ ask, stream, work }: Guarded<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    stream.destroy();
    const { method = 'GET', target, fields = [] } = ask;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${method} ${target} ${JSON.stringify(fields)}: ${message}`, { cause });
  }
}
