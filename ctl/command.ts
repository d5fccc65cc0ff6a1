import { createInterface } from 'node:readline';
import type { CommandName } from '../daemon/control/protocol.ts';
import { mergeReplies, splitParams } from './batches.ts';
import type { Client, Listeners } from './client.ts';
import { exitCodes, misused } from './failure.ts';
import { complain, type Io, stopCode } from './io.ts';
import { createOutput, type Output } from './output.ts';
import { createProgress, type Progress } from './progress.ts';
import { complaintsOf, isFailure, type Reported } from './report.ts';
import { amount } from './report-entries.ts';
import { runTop } from './top.ts';
import type { Order } from './usage.ts';

/** A command to run, and where. */
export interface Job {
  readonly order: Extract<Order, { action: 'run' }>;
  readonly client: Client;
  readonly io: Io;
}

/** Runs one command to its end, and resolves to the exit code. */
export async function runCommand(job: Job): Promise<number> {
  const { command } = job.order;
  if (command === 'top') return runTop(job);
  if (command === 'watch') return watch(job);
  return report(command, job);
}

interface Sums {
  entries: number;
  bytes: number;
}

async function report(command: Reported, { order, client, io }: Job): Promise<number> {
  const output = createOutput({ ...order, io });
  const progress = createProgress(order.quiet ? { write: () => {} } : io.stderr, io.now);
  const done: Sums = { entries: 0, bytes: 0 };
  try {
    const reply = await callAll({ order, client, io }, listeners({ output, progress, done }));
    progress.clear();
    output.reply(reply);
    for (const sentence of complaintsOf(command, reply)) complain(io, sentence);
    return isFailure(command, reply) ? exitCodes.failed : exitCodes.done;
  } catch (error) {
    progress.clear();
    if (!io.stop.aborted) throw error;
    if (changes(command)) complain(io, `stopped; by then it had done ${amount(done)}`);
    return stopCode(io.stop);
  }
}

interface Watchers {
  readonly output: Output;
  readonly progress: Progress;
  readonly done: Sums;
}

function listeners({ output, progress, done }: Watchers): Listeners {
  return {
    onRows: ({ rows }) => {
      progress.clear();
      output.rows(rows);
    },
    onProgress: ({ entries, bytes, total }) => {
      Object.assign(done, { entries, bytes });
      const known = total === null ? {} : { total };
      progress.show({ done: entries, text: amount(done), ...known });
    },
  };
}

// One request after the other: a list may be longer than a message.
async function callAll({ order, client, io }: Job, listen: Listeners): Promise<object> {
  const { command: method } = order;
  let all: Readonly<Record<string, unknown>> | undefined;
  for (const params of splitParams(await completed(order, io))) {
    io.stop.throwIfAborted();
    const reply = await client.call({ method, params, ...listen });
    all = mergeReplies(all, reply as Readonly<Record<string, unknown>>);
  }
  // Standard input may have held nothing: then nothing had to be done.
  return all ?? { stored: 0, present: 0, failed: 0, bytes: 0 };
}

async function completed(order: Job['order'], io: Io): Promise<Job['order']['params']> {
  const { command, params, json } = order;
  // For scripts the files are the answer.
  if (command === 'cull' && json) return { ...params, list: true };
  if (command !== 'fetch' || !Array.isArray(params.paths)) return params;
  if (!params.paths.includes('-')) return params;
  const operands = params.paths.filter((path) => path !== '-');
  if (operands.length + 1 < params.paths.length) throw misused('-', 'it was given twice');
  return { ...params, paths: [...operands, ...(await linesOf(io))] };
}

async function linesOf({ stdin, stop }: Io): Promise<string[]> {
  const lines: string[] = [];
  const reader = createInterface({ input: stdin, signal: stop });
  for await (const line of reader) if (line !== '') lines.push(line);
  stop.throwIfAborted();
  return lines;
}

function changes(command: CommandName): boolean {
  return command === 'cull' || command === 'purge' || command === 'fetch';
}

async function watch({ order, client, io }: Job): Promise<number> {
  const output = createOutput({ ...order, io });
  const { command: method, params } = order;
  let told = 0;
  try {
    await client.call({
      method,
      params,
      onEvents: ({ events, dropped }) => {
        output.events(events);
        if (dropped > told) complain(io, `${dropped - told} events were left out: read faster`);
        told = dropped;
      },
    });
    return exitCodes.done;
  } catch (error) {
    if (!io.stop.aborted) throw error;
    return leaveCode(io);
  }
}

/** Ctrl-C is how `watch` ends: nothing was broken off. */
function leaveCode({ stop }: Io): number {
  return stopCode(stop) === 130 ? exitCodes.done : stopCode(stop);
}
