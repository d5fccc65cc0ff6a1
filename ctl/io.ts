import type { ReadStream, WriteStream } from 'node:tty';

/** What the program has of the world; a test has one of its own. */
export interface Io {
  /** The command line without the program's own name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly stderr: WriteStream;
  /** Aborted by a signal, or when nobody reads on; its reason is the exit code. */
  readonly stop: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What a stop signal says to end with. */
export function stopCode(stop: AbortSignal): number {
  return typeof stop.reason === 'number' ? stop.reason : 1;
}

/** The same for what only Ctrl-C ends: there nothing is broken off. */
export function leaveCode(stop: AbortSignal): number {
  return stopCode(stop) === 130 ? 0 : stopCode(stop);
}

/** Says something to people, on standard error, under the program's name. */
export function complain({ stderr }: Pick<Io, 'stderr'>, sentence: string): void {
  stderr.write(`package-cache-ctl: ${sentence}\n`);
}
