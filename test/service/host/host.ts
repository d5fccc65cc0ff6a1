import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Finished, run } from '../../helpers/process.ts';
import type { Kind } from './kinds.ts';
import type { Wired } from './network.ts';

/** A throw-away machine on which a real init is PID 1. */
export interface Host extends Wired {
  readonly kind: Kind;
  /** Runs a command in it as root, in an environment of its own. */
  run(command: readonly string[]): Promise<Finished>;
  /**
   * Runs a shell script in it as root.
   *
   * @returns what it wrote to its standard output
   * @throws Error with all it said, when it fails
   */
  sh(script: string): Promise<string>;
  /** Where this machine sees a path of the host. */
  path(path: string): string;
}

/** What a host is known by. */
export interface HostParts {
  readonly kind: Kind;
  /** PID 1, as this machine numbers it. */
  readonly pid: number;
  /** The directory of its control group. */
  readonly group: string;
  readonly wired: Wired;
}

const COMMAND_BOUND = 90_000;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The arguments of `sh` that run a command in a control group: the group, then the command. */
export const intoGroup: readonly string[] = [
  '-c',
  'echo $$ >"$1/cgroup.procs" && shift && exec "$@"',
  'sh',
];

/** The host of a PID 1. */
export function makeHost(parts: HostParts): Host {
  const { kind, pid, wired } = parts;
  const host: Host = {
    ...wired,
    kind,
    run: (command) => runIn(parts, command),
    sh: async (script) => {
      const { code, stdout, stderr } = await host.run(['sh', '-euc', script]);
      if (code !== 0) throw new Error(`${script}\nended with ${code}:\n${stdout}${stderr}`);
      return stdout;
    },
    path: (path) => join(`/proc/${pid}/root`, path),
  };
  return host;
}

async function runIn({ group, pid }: HostParts, command: readonly string[]): Promise<Finished> {
  // Not the init's own group: in one that has children there may be no processes.
  const own = join(group, 'commands');
  await mkdir(own, { recursive: true });
  const namespaces = ['mount', 'uts', 'ipc', 'net', 'pid', 'cgroup', 'root', 'wd'];
  const enter = ['nsenter', '--target', String(pid), ...namespaces.map((name) => `--${name}`)];
  const clean = ['env', '-i', `PATH=${PATH}`, 'HOME=/root', 'LANG=C.UTF-8'];
  const args = [...intoGroup, own, ...enter, '--', ...clean, ...command];
  return run('sh', { args, within: COMMAND_BOUND });
}
