import { resolve } from 'node:path';
import type { CommandName } from '../daemon/control/protocol.ts';
import { describe } from '../daemon/errors.ts';
import { formatSize } from '../daemon/units.ts';
import { mergeReplies, splitParams } from './batches.ts';
import type { Client, Listeners } from './client.ts';
import { exitCodes, failed, misused } from './failure.ts';
import { complain, type Io, leaveCode, stopCode } from './io.ts';
import { createOutput, type Output } from './output.ts';
import { createProgress, type Progress } from './progress.ts';
import { complaintsOf, isFailure, type Reported } from './report.ts';
import { runTop } from './top.ts';
import type { Order } from './usage.ts';
import { amount } from './words.ts';

/** A command to run, and where. */
export interface Job {
  readonly order: Extract<Order, { action: 'run' }>;
  readonly client: Client;
  readonly io: Io;
}

/** Runs one command to its end, and resolves to the exit code. */
export async function runCommand(job: Job): Promise<number> {
  const { command, quiet } = job.order;
  const shows = command === 'top' || command === 'watch';
  if (shows && quiet) throw misused('--quiet', `${command} is there to be looked at`);
  if (command === 'top') return runTop(job);
  if (command === 'watch') return watch(job);
  return report(command, job);
}

/** How far a command has come, which may take several requests. */
interface Course {
  entries: number;
  bytes: number;
  /** What the requests before this one came to. */
  before: { readonly entries: number; readonly bytes: number };
}

async function report(command: Reported, { order, client, io }: Job): Promise<number> {
  const output = createOutput({ ...order, io });
  const progress = createProgress(order.quiet ? { write: () => {} } : io.stderr, io.now);
  const course: Course = { entries: 0, bytes: 0, before: { entries: 0, bytes: 0 } };
  const job = { order, client, io };
  try {
    const reply = await callAll(job, { output, progress, course });
    progress.clear();
    output.reply(reply);
    for (const sentence of complaintsOf(command, reply)) complain(io, sentence);
    return isFailure(command, reply) ? exitCodes.failed : exitCodes.done;
  } catch (error) {
    progress.clear();
    if (!io.stop.aborted) throw error;
    if (changes(command)) complain(io, `stopped; by then it had done ${amount(course)}`);
    return stopCode(io.stop);
  }
}

interface Watchers {
  readonly output: Output;
  readonly progress: Progress;
  readonly course: Course;
}

// One request after the other: a list may be longer than a message.
async function callAll({ order, client, io }: Job, watchers: Watchers): Promise<object> {
  const { command: method } = order;
  const batches = splitParams(await completed(order, io));
  let all: Readonly<Record<string, unknown>> | undefined;
  for (const params of batches) {
    io.stop.throwIfAborted();
    const listeners = listen(watchers, batches.length === 1);
    const reply = await client.call({ method, params, ...listeners });
    all = mergeReplies(all, reply as Readonly<Record<string, unknown>>);
    watchers.course.before = sumsOf(all);
  }
  // Standard input may have held nothing: then nothing had to be done.
  return all ?? { stored: 0, present: 0, failed: 0, bytes: 0 };
}

// The daemon knows the total of one request, which is that of the command when there is no other.
function listen({ output, progress, course }: Watchers, alone: boolean): Listeners {
  return {
    onRows: ({ rows }) => {
      progress.clear();
      output.rows(rows);
    },
    onProgress: ({ entries, bytes, total, totalBytes }) => {
      course.entries = course.before.entries + entries;
      course.bytes = course.before.bytes + bytes;
      if (totalBytes !== undefined) {
        const text = `${amount(course)} of ${formatSize(totalBytes)}`;
        progress.show({ done: bytes, total: totalBytes, text });
        return;
      }
      const known = total === null || !alone ? {} : { total };
      progress.show({ done: entries, text: amount(course), ...known });
    },
  };
}

function sumsOf(reply: Readonly<Record<string, unknown>>): Course['before'] {
  const { entries, stored, present, failed: missed, bytes } = reply;
  const counted = entries ?? Number(stored ?? 0) + Number(present ?? 0) + Number(missed ?? 0);
  return { entries: Number(counted), bytes: Number(bytes ?? 0) };
}

async function completed(order: Job['order'], io: Io): Promise<Job['order']['params']> {
  const { command, params, json } = order;
  // For scripts the files are the answer.
  if (command === 'cull' && json) return { ...params, list: true };
  // The daemon works in a directory of its own.
  if (command === 'import') return { ...params, directory: resolve(String(params.directory)) };
  if (command !== 'fetch' || !Array.isArray(params.paths)) return params;
  if (!params.paths.includes('-')) return params;
  const operands = params.paths.filter((path) => path !== '-');
  if (operands.length + 1 < params.paths.length) throw misused('-', 'it was given twice');
  return { ...params, paths: [...operands, ...(await linesOf(io))] };
}

async function linesOf({ stdin, stop }: Io): Promise<string[]> {
  try {
    const chunks: Buffer[] = await stdin.toArray({ signal: stop });
    const lines = Buffer.concat(chunks).toString().split(/\r?\n/);
    return lines.filter((line) => line !== '');
  } catch (cause) {
    throw failed({ verb: 'read', thing: 'standard input', reason: describe(cause), cause });
  }
}

function changes(command: CommandName): boolean {
  return ['cull', 'purge', 'verify', 'fetch', 'import'].includes(command);
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
    return leaveCode(io.stop);
  }
}
