import { POLLIN, poll, processorSeconds } from '../syscalls.ts';
import { Connection } from './connection.ts';
import { type Answer, type Failure, type Job, now, type Outcome } from './job.ts';

/**
 * The load generator: a process that gets a job by message, does it in one synchronous loop around
 * poll(2), and sends the outcome back.
 */
process.on('message', (job: Job) => {
  process.send?.(attempt(job));
});

/** `struct pollfd` has the descriptor in one, and what is waited for and what came in the other. */
const WORDS = 2;

/** Milliseconds without a byte on any connection after which a job has failed. */
const SILENCE = 20_000;

function attempt(job: Job): Outcome | Failure {
  try {
    return perform(job);
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

interface Reading {
  readonly at: number;
  readonly bytes: number;
  readonly serverCpu: number;
  readonly clientCpu: number;
  readonly idle: number;
}

/** A job at work. */
interface Work {
  readonly job: Job;
  readonly connections: readonly Connection[];
  answers: Answer[];
  /** Milliseconds for which an eager client has looked in vain. */
  idle: number;
}

function perform(job: Job): Outcome {
  const start = now();
  const connections = job.lines.map((line, index) => new Connection(job, line, { index, start }));
  const work: Work = { job, connections, answers: [], idle: 0 };
  const { warmUp = 0, seconds = Number.POSITIVE_INFINITY } = job.window ?? {};
  let from = read(work);
  if (warmUp > 0) {
    run(work, start + warmUp * 1000);
    work.answers = [];
    from = read(work);
  }
  run(work, from.at + seconds * 1000);
  const to = read(work);
  for (const connection of connections) connection.close();
  const elapsed = to.at - from.at;
  // In wall time: looking in vain is as likely to be interrupted as the rest.
  const useful = 1 - (to.idle - from.idle) / elapsed;
  return {
    seconds: elapsed / 1000,
    bytes: to.bytes - from.bytes,
    answers: work.answers,
    serverCpu: to.serverCpu - from.serverCpu,
    clientCpu: (to.clientCpu - from.clientCpu) * useful,
  };
}

function read({ job, connections, idle }: Work): Reading {
  const own = process.cpuUsage();
  return {
    at: now(),
    bytes: connections.reduce((sum, { bytes }) => sum + bytes, 0),
    serverCpu: job.servers.reduce((sum, pid) => sum + (processorSeconds(pid) ?? 0), 0),
    clientCpu: (own.user + own.system) / 1e6,
    idle,
  };
}

/** Serves the connections until a moment, or until none has anything more to ask for. */
function run(work: Work, until: number): void {
  const { job, connections } = work;
  const list = new Int32Array(connections.length * WORDS);
  const giveUpAt = now() + (job.patience ?? 0) * 1000;
  let heard = now();
  for (;;) {
    const time = now();
    if (time >= until || connections.every(({ done }) => done)) return;
    for (const connection of connections) {
      if (!connection.done && connection.socket === undefined && connection.due <= time) {
        connection.open(giveUpAt);
      }
    }
    const wake = enlist({ connections, list, time, until });
    const wait = job.eager ? 0 : Math.min(1000, Math.max(0, Math.ceil(wake - time)));
    if (poll(list, connections.length, wait) > 0) {
      heard = time;
      serve(work, list);
    } else if (time - heard > SILENCE) {
      throw new Error(`Cannot go on: port ${job.port} has sent nothing for ${SILENCE / 1000} s`);
    } else if (job.eager) {
      work.idle += now() - time;
    }
  }
}

interface Enlistment {
  readonly connections: readonly Connection[];
  /** An array of `struct pollfd`. */
  readonly list: Int32Array;
  readonly time: number;
  readonly until: number;
}

/** Lists those that want to read now, and answers when the first of the others wants something. */
function enlist({ connections, list, time, until }: Enlistment): number {
  let wake = until;
  for (const [index, connection] of connections.entries()) {
    const waits = connection.due > time;
    if (waits && !connection.done) wake = Math.min(wake, connection.due);
    // poll(2) skips what is negative.
    list[index * WORDS] = waits ? -1 : (connection.socket ?? -1);
    list[index * WORDS + 1] = POLLIN;
  }
  return wake;
}

/** Lets those read for whom something has arrived. */
function serve({ connections, answers }: Work, list: Int32Array): void {
  for (const [index, connection] of connections.entries()) {
    const came = (list[index * WORDS + 1] ?? 0) >>> 16;
    if (list[index * WORDS] === -1 || came === 0) continue;
    const answer = connection.read();
    if (answer === undefined) continue;
    answers.push(answer);
    connection.proceed();
  }
}
