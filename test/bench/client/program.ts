import { POLLIN, poll, processorSeconds } from '../syscalls.ts';
import { Connection } from './connection.ts';
import { type Answer, type Job, now, type Outcome } from './job.ts';

/**
 * The load generator: a process that gets a job by message, does it in one synchronous loop around
 * poll(2), and sends the outcome back.
 */
process.on('message', (job: Job) => {
  process.send?.(perform(job));
});

interface Reading {
  readonly at: number;
  readonly bytes: number;
  readonly serverCpu: number;
  readonly clientCpu: number;
}

function perform(job: Job): Outcome {
  const start = now();
  const connections = job.lines.map((line, index) => new Connection(job, line, { index, start }));
  const { warmUp = 0, seconds = Number.POSITIVE_INFINITY } = job.window ?? {};
  const reading = () => read(job, connections);
  let from = reading();
  let answers: Answer[] = [];
  if (warmUp > 0) {
    run({ job, connections, answers, until: start + warmUp * 1000 });
    answers = [];
    from = reading();
  }
  run({ job, connections, answers, until: from.at + seconds * 1000 });
  const to = reading();
  for (const connection of connections) connection.close();
  return {
    seconds: (to.at - from.at) / 1000,
    bytes: to.bytes - from.bytes,
    answers,
    serverCpu: to.serverCpu - from.serverCpu,
    clientCpu: to.clientCpu - from.clientCpu,
  };
}

function read({ servers }: Job, connections: readonly Connection[]): Reading {
  const own = process.cpuUsage();
  return {
    at: now(),
    bytes: connections.reduce((sum, { bytes }) => sum + bytes, 0),
    serverCpu: servers.reduce((sum, pid) => sum + (processorSeconds(pid) ?? 0), 0),
    clientCpu: (own.user + own.system) / 1e6,
  };
}

interface Run {
  readonly job: Job;
  readonly connections: readonly Connection[];
  readonly answers: Answer[];
  readonly until: number;
}

/** Serves the connections until a moment, or until none has anything more to ask for. */
function run({ job, connections, answers, until }: Run): void {
  const list = new Int32Array(connections.length * 2);
  const giveUpAt = now() + (job.patience ?? 0) * 1000;
  for (;;) {
    const time = now();
    let wake = until;
    let left = false;
    for (const [index, connection] of connections.entries()) {
      list[index * 2] = -1;
      if (connection.done) continue;
      left = true;
      if (connection.due > time) {
        wake = Math.min(wake, connection.due);
        continue;
      }
      if (connection.socket === undefined) connection.open(giveUpAt);
      list[index * 2] = connection.socket ?? -1;
      list[index * 2 + 1] = POLLIN;
    }
    if (!left || time >= until) return;
    poll(list, connections.length, Math.min(1000, Math.max(0, Math.ceil(wake - time))));
    for (const [index, connection] of connections.entries()) {
      if (list[index * 2] === -1 || (list[index * 2 + 1] ?? 0) >>> 16 === 0) continue;
      const answer = connection.read();
      if (answer === undefined) continue;
      answers.push(answer);
      connection.proceed();
    }
  }
}
