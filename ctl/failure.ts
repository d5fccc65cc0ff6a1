import { type Failure, printable } from '../daemon/errors.ts';

/** What the program ends with; 128 and its number when a signal ended it, as shells have it. */
export const exitCodes = {
  done: 0,
  /** Refused or failed; no permission is one of these. */
  failed: 1,
  usage: 2,
  /** As the LSB's status action has it. */
  noDaemon: 3,
} as const;

/** Why nothing came of it: a sentence for people and a code for scripts. */
export class ControlFailure extends Error {
  override readonly name = 'ControlFailure';
  readonly exitCode: number;

  constructor(exitCode: number, { message, cause }: { message: string; cause?: unknown }) {
    super(message, cause === undefined ? {} : { cause });
    this.exitCode = exitCode;
  }
}

/** `Cannot <verb> "<thing>": <reason>`. */
export function cannot({ verb, thing, reason }: Failure): string {
  return `Cannot ${verb} "${printable(thing)}": ${reason}`;
}

/** A command line that makes no sense. */
export function misused(thing: string, reason: string): ControlFailure {
  return new ControlFailure(exitCodes.usage, { message: cannot({ verb: 'use', thing, reason }) });
}

/** Something that was understood and did not work. */
export function failed(failure: Failure): ControlFailure {
  const { cause } = failure;
  return new ControlFailure(exitCodes.failed, { message: cannot(failure), cause });
}
