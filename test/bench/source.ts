import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { converse } from './load.ts';
import type { Processes, Program } from './processes.ts';

const path = fileURLToPath(new URL('source/program.ts', import.meta.url));
let names = 0;

/** A mirror that has every file. */
export interface Source {
  readonly kind: 'base';
  readonly program: Program;
  readonly port: number;
  readonly url: string;
  /** Nothing of it is measured. */
  pids(): readonly number[];
  /** Requests so far. */
  requests(): Promise<number>;
}

/** Starts a source. */
export async function startSource(
  processes: Processes,
  processor: number | undefined,
): Promise<Source> {
  const program = processes.start({
    command: [process.execPath, path],
    processor,
    messages: true,
  });
  const [port] = (await once(program.child, 'message')) as [number];
  return {
    kind: 'base',
    program,
    port,
    url: `http://127.0.0.1:${port}/`,
    pids: () => [],
    requests: () => converse<number>(program, {}),
  };
}

/** The path of a file that nobody has asked for yet; the rate is in bytes a second. */
export function coldTarget(bytes: number, rate = 0): string {
  names += 1;
  return `/distfiles/cold/${bytes}-${rate}-${names}.tar`;
}
