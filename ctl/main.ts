#!/usr/bin/env node
import { constants } from 'node:os';
import type { ReadStream } from 'node:tty';
import { run } from './run.ts';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Once: the second one ends a program that does not end by itself.
  process.once(name, () => stop.abort(128 + constants.signals[name]));
}
// A reader that has seen enough, as `head` has, ends the command.
process.stdout.on('error', () => stop.abort(128 + constants.signals.SIGPIPE));
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
process.exit(code);
