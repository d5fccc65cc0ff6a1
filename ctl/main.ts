#!/usr/bin/env node
import { constants } from 'node:os';
import type { ReadStream } from 'node:tty';
import { describe } from '../daemon/errors.ts';
import { cannot, exitCodes } from './failure.ts';
import { complain } from './io.ts';
import { run } from './run.ts';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Once: the second one ends a program that does not end by itself.
  process.once(name, () => stop.abort(128 + constants.signals[name]));
}
// Not even at the end may a lost answer pass for a whole one.
let broken: number | undefined;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough, as `head` has, is nothing to complain of.
  if (error.code !== 'EPIPE' && broken === undefined) complain(process, wordLoss(error));
  broken ??= error.code === 'EPIPE' ? 128 + constants.signals.SIGPIPE : exitCodes.failed;
  stop.abort(broken);
});
process.stderr.on('error', () => {});

const code = await run({
  argv: process.argv.slice(2),
  env: process.env,
  stdin: process.stdin as ReadStream,
  stdout: process.stdout,
  stderr: process.stderr,
  stop: stop.signal,
  now: Date.now,
});
// What was written may still be on its way into a pipe.
await new Promise((done) => process.stdout.write('', done));
process.exit(broken ?? code);

function wordLoss(error: Error): string {
  return cannot({ verb: 'write', thing: 'standard output', reason: describe(error) });
}
