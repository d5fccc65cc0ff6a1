import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { tempDir } from './files.ts';
import { Log } from './log.ts';
import { type Finished, launch, type Running, root, run } from './process.ts';

/** The daemon as a command line alone makes it, on any free port unless the arguments say more. */
export interface BareOptions {
  /** Without one it is the default. */
  readonly cacheDir?: string;
  /** A program and its arguments that end by running what follows them, such as `nice`. */
  readonly through?: readonly string[];
  /** Options of Node. */
  readonly node?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Descriptors of ours that it gets as 3 and on. */
  readonly descriptors?: readonly number[];
}

/** A daemon that may not listen yet. */
export interface BareDaemon extends Running {
  readonly log: Log;
  /** Rejects when it ends before it listens. */
  readonly port: Promise<number>;
}

const listening = /listening on http:\/\/\S+:(\d+)\//;

/** Starts the daemon, perhaps through another program. */
export function launchBare(t: ExecutionContext, options: BareOptions): BareDaemon {
  const log = new Log();
  const [program = '', ...args] = commandOf(options);
  const { env = {}, descriptors = [] } = options;
  const running = launch(program, {
    args,
    env,
    descriptors,
    onLine: (line) => log.add(line),
  });
  log.follow(running.exited);
  t.teardown(async () => {
    running.signal('SIGTERM');
    await running.exitWithin(3000);
    log.assertSane();
  });
  const port = log.find(listening).then((line) => Number(listening.exec(line)?.[1]));
  // A test that is not about listening never looks.
  port.catch(() => {});
  return { ...running, log, port };
}

/** Runs a daemon that is to end by itself. */
export async function runBare(options: BareOptions): Promise<Finished> {
  const [program = '', ...args] = commandOf(options);
  const { env = {}, descriptors = [] } = options;
  return run(program, { args, env, descriptors, within: 20_000 });
}

/** A directory that other users can reach, gone with the test. */
export async function openDir(t: ExecutionContext): Promise<string> {
  const directory = await tempDir(t);
  await chmod(directory, 0o755);
  return directory;
}

function commandOf({ cacheDir, through = [], node = [], args = [] }: BareOptions): string[] {
  const cache = cacheDir === undefined ? [] : ['--cache', cacheDir];
  const main = [join(root, 'daemon/main.ts'), '--port', '0', ...cache];
  return [...through, process.execPath, ...node, ...main, ...args];
}
