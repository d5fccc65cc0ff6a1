import type { ExecutionContext } from 'ava';
import { type Answer, open } from '../helpers/client.ts';
import { type Daemon, startDaemon } from '../helpers/daemon.ts';
import type { Field } from '../helpers/fields.ts';
import { bodyOf, type Gate, gate, startOrigin } from '../helpers/origin.ts';

/** What a cache may have of a file when it is asked for it; the answer must not tell them apart. */
export const states = ['stored', 'filling', 'missing'] as const;

/** One of them. */
export type State = (typeof states)[number];

/** The file, the same under every name. */
export const file = bodyOf('file', 1000);
/** Its Last-Modified in seconds, and the entity tag that follows from it and the length. */
export const modified = Date.UTC(2024, 4, 5, 6, 7, 8) / 1000;
/** See `modified`. */
export const etag = `"${modified.toString(16)}-3e8"`;

/** How many bytes of a filling file are there. */
const arrived = 300;

/** What is asked for, in every state. */
export interface Asked {
  readonly method?: string;
  readonly fields?: readonly Field[];
}

/** A cache whose files are in the state that their name says. */
export interface States {
  ask(t: ExecutionContext, state: State, asked: Asked): Promise<Answer>;
}

/** Starts an origin that has every name, and a daemon. */
export async function openStates(t: ExecutionContext): Promise<States> {
  const gates = new Map<string, Gate>();
  const origin = await startOrigin(t);
  const lastModified = new Date(modified * 1000);
  origin.serve('*', ({ target }) => {
    const held = gates.get(target);
    const whole = { body: file, lastModified };
    return held === undefined ? whole : { ...whole, chunks: { gate: held, after: arrived } };
  });
  const daemon = await startDaemon(t, { sources: [origin.url], conf: { MAX_FILLS: '1000' } });
  let names = 0;
  return {
    ask: async (test, state, asked) => {
      names += 1;
      const target = `/distfiles/aa/${state}-${names}.tar.xz`;
      if (state === 'stored') await daemon.get(target);
      if (state !== 'filling') return daemon.get(target, { ...asked, t: test });
      const held = gate();
      gates.set(target, held);
      return askWhileFilling({ test, daemon, target, asked, held });
    },
  };
}

interface Filling {
  readonly test: ExecutionContext;
  readonly daemon: Daemon;
  readonly target: string;
  readonly asked: Asked;
  readonly held: Gate;
}

async function askWhileFilling({ test, daemon, target, asked, held }: Filling): Promise<Answer> {
  const { port } = daemon;
  const first = open({ port, target, t: test });
  await first.read(arrived);
  const stream = open({ ...asked, port, target, t: test });
  // The answer's head is out before the rest of the body is there.
  await stream.head;
  held.open();
  const answer = await stream.rest();
  await first.rest();
  stream.destroy();
  first.destroy();
  return answer;
}
