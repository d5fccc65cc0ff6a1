import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));
const compileCache = join(root, 'node_modules/.cache/node');

export interface LaunchOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Whom it runs as; needs root. */
  readonly user?: string;
  /** Descriptors of ours that it gets as 3 and on. */
  readonly descriptors?: readonly number[];
  /** A process whose network, and whose view of the files, it has; needs root. */
  readonly inside?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program at work. */
export interface Running {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL when it has not exited in so many milliseconds. */
  exitWithin(milliseconds: number): Promise<Exit>;
}

/** What a program that ran to its end left. */
export interface Finished extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a program; each line of its output goes to `onLine`. */
export function launch(
  program: string,
  options: LaunchOptions & { onLine(line: string): void },
): Running {
  const child = start(program, options);
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface(stream).on('line', options.onLine);
  }
  const exited = exitOf(child);
  exited.catch(() => {});
  return {
    // A program that could not be started has no pid; `exited` tells why.
    pid: child.pid ?? -1,
    exited,
    signal: (name) => child.kill(name),
    exitWithin: (milliseconds) => killAfter(child, exited, milliseconds),
  };
}

/** Runs a program to its end; SIGKILL after `within` milliseconds. */
export async function run(
  program: string,
  options: LaunchOptions & { readonly within?: number },
): Promise<Finished> {
  const child = start(program, options);
  const exited = exitOf(child);
  const output = [child.stdout, child.stderr].map(async (stream) => {
    const pieces: Buffer[] = [];
    for await (const piece of stream ?? []) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  });
  const exit = await killAfter(child, exited, options.within ?? 60_000);
  const [stdout = '', stderr = ''] = await Promise.all(output);
  return { ...exit, stdout, stderr };
}

/** Resident memory in kB. */
export async function rssKb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}

/** Processor time of all its threads so far, user and system. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Fields 14 and 15 of proc_pid_stat(5), in ticks of 1/100 s; field 3 comes first here.
  return (Number(afterName[11]) + Number(afterName[12])) / 100;
}

/** What its descriptors point at. */
export async function openFiles(pid: number): Promise<string[]> {
  const directory = `/proc/${pid}/fd`;
  const names = await readdir(directory);
  const targets = names.map((name) => readlink(`${directory}/${name}`).catch(() => undefined));
  return (await Promise.all(targets)).filter((target) => target !== undefined);
}

function start(program: string, options: LaunchOptions): ChildProcess {
  const { args, env = {}, cwd = root, user, inside, descriptors = [] } = options;
  const enter = inside === undefined ? [] : ['nsenter', '-t', String(inside), '-n', '-m', '--'];
  const [command = program, ...all] = [...enter, ...guard(user), program, ...args];
  return spawn(command, all, {
    cwd,
    // A suite starts the daemon a hundred times: it is compiled once.
    env: { ...cleanEnvironment(), NODE_COMPILE_CACHE: compileCache, ...env },
    stdio: ['ignore', 'pipe', 'pipe', ...descriptors],
  });
}

/** With setpriv the child dies with the test that started it, even when no teardown could run. */
function guard(user: string | undefined): string[] {
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
  if (user === undefined) return setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL'];
  const group = execFileSync('id', ['-g', user], { encoding: 'latin1' }).trim();
  const identity = ['--reuid', user, '--regid', group, '--init-groups'];
  return [setpriv ?? 'setpriv', ...identity, '--pdeathsig', 'KILL'];
}

/** Nothing of this machine's proxies, service manager or Node options reaches a child. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const foreign =
    /^(.*_proxy|NODE_OPTIONS|NODE_EXTRA_CA_CERTS|LISTEN_.*|NOTIFY_.*|WATCHDOG_.*|INVOCATION_ID|JOURNAL_STREAM|.*_DIRECTORY|PACKAGE_CACHE_.*|RC_.*|SSD_.*)$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

async function exitOf(child: ChildProcess): Promise<Exit> {
  const [code, signal] = await once(child, 'close');
  return { code, signal };
}

async function killAfter(child: ChildProcess, exited: Promise<Exit>, bound: number): Promise<Exit> {
  const timer = setTimeout(() => child.kill('SIGKILL'), bound);
  return exited.finally(() => clearTimeout(timer));
}
