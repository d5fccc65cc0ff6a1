import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Failure, Job, Outcome } from './client/job.ts';
import type { Processes, Program } from './processes.ts';

const path = fileURLToPath(new URL('client/program.ts', import.meta.url));

/** A process that plays clients. */
export interface Client {
  readonly program: Program;
  /** One job at a time. @throws Error when a server refuses, breaks off or says nothing. */
  perform(job: Job): Promise<Outcome>;
}

/** Starts a load generator. */
export function startClient(processes: Processes, processor: number | undefined): Client {
  const program = processes.start({
    command: [process.execPath, path],
    processor,
    messages: true,
  });
  return {
    program,
    perform: async (job) => {
      const reply = await converse<Outcome | Failure>(program, job);
      if ('failure' in reply) throw new Error(reply.failure);
      return reply;
    },
  };
}

/** Sends a program a message and waits for its answer. @throws Error with what it said, if it ends. */
export async function converse<Reply>(program: Program, message: object): Promise<Reply> {
  const { child } = program;
  const aborter = new AbortController();
  const { signal } = aborter;
  const ended = once(child, 'close', { signal }).then(() => {
    throw new Error(`A load generator has ended:\n${program.output()}`);
  });
  child.send(message);
  try {
    const [reply] = await Promise.race([once(child, 'message', { signal }), ended]);
    return reply as Reply;
  } finally {
    ended.catch(() => {});
    aborter.abort();
  }
}
