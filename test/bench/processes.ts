import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { now } from './client/job.ts';

/** The processors that a run uses; undefined leaves the choice to the kernel. */
export interface Processors {
  readonly server: number | undefined;
  /** Of the clients and the sources. */
  readonly load: number | undefined;
}

/** Different ones for server and load, where there are two and taskset can bind to them. */
export function chooseProcessors(): Processors {
  const list = /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync('/proc/self/status', 'latin1'));
  const [server, load] = (list?.[1] ?? '').split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  if (load === undefined || !isInstalled('taskset')) return { server: undefined, load: undefined };
  return { server, load };
}

/** Whether a program is found in PATH. */
export function isInstalled(program: string): boolean {
  return spawnSync(program, ['-h'], { stdio: 'ignore' }).error === undefined;
}

/** How a program is started. */
export interface Start {
  readonly command: readonly [program: string, ...args: string[]];
  readonly processor: number | undefined;
  /** With a channel for messages. */
  readonly messages?: boolean;
}

/** A program at work. */
export interface Program {
  readonly pid: number;
  readonly child: ChildProcess;
  /** When it was started, on the monotonic clock. */
  readonly began: number;
  /** Resolves to its exit code once it is gone; a signal has none. */
  readonly gone: Promise<number | null>;
  /** What it has said last. */
  output(): string;
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>;
}

/** Starts programs, and ends all that still run when the bench ends, however it ends. */
export class Processes {
  readonly #running = new Set<ChildProcess>();

  /** Starts a program in a process group of its own. */
  start({ command, processor, messages = false }: Start): Program {
    const [program = '', ...args] = [...prefix(processor), ...command];
    const began = now();
    const child = spawn(program, args, {
      detached: true,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe', ...(messages ? (['ipc'] as const) : [])],
    });
    this.#running.add(child);
    const gone = once(child, 'close').then(([code]: (number | null)[]) => {
      this.#running.delete(child);
      return code ?? null;
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (piece: Buffer) => {
        output = (output + String(piece)).slice(-4000);
      });
    }
    return {
      pid: child.pid ?? -1,
      child,
      began,
      gone,
      output: () => output,
      stop: async () => {
        child.kill('SIGTERM');
        await gone;
      },
    };
  }

  /** Ends all of them, with their children, and waits until they are gone. */
  async endAll(): Promise<void> {
    const gone = [...this.#running].map((child) => once(child, 'close'));
    this.killAll();
    await Promise.all(gone);
  }

  /** The same without waiting, for a process that is ending itself. */
  killAll(): void {
    for (const { pid } of this.#running) {
      try {
        if (pid !== undefined) process.kill(-pid, 'SIGKILL');
      } catch {
        // It has just ended.
      }
    }
  }
}

/** Should the bench itself be killed, its children are told to end. */
const guard = isInstalled('setpriv') ? ['setpriv', '--pdeathsig', 'TERM'] : [];

function prefix(processor: number | undefined): readonly string[] {
  return [...guard, ...(processor === undefined ? [] : ['taskset', '-c', String(processor)])];
}

/** As a service manager would start it: nothing of the shell's proxies or of npm's Node options. */
function environment(): NodeJS.ProcessEnv {
  const { PATH, HOME, LANG } = process.env;
  return { PATH, HOME, LANG };
}
