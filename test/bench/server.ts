import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Processes, Program } from './processes.ts';

/** Which servers there are. */
export type Kind = 'ours' | 'nginx';

/** A server under test. */
export interface Server {
  readonly kind: Kind;
  readonly port: number;
  readonly program: Program;
  /** All its processes; complete once it answers. */
  pids(): readonly number[];
  /** Where it keeps what it fetched. */
  readonly cache: string;
  /** Where package-cache-ctl finds it. */
  readonly controlSocket?: string;
}

/** What both servers are started with. */
export interface ServerOptions {
  readonly processes: Processes;
  readonly processor: number | undefined;
  /** A directory of its own, for all that it writes. */
  readonly directory: string;
  /** The tree of files that it serves; without it, it begins with nothing. */
  readonly tree?: string;
  /** The URL of where it fetches what it does not have, with a slash at its end. */
  readonly source?: string;
}

/** A port on 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No TCP address');
  return address.port;
}

/** Whether a server answers on a port, whatever it says. */
export async function answers(port: number): Promise<boolean> {
  try {
    await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1000) });
    return true;
  } catch {
    return false;
  }
}
