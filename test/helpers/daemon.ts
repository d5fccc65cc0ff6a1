import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type Answer, type RequestOptions, request } from './client.ts';
import { tempDir } from './files.ts';
import { Log } from './log.ts';
import {
  cpuSeconds,
  type Exit,
  type Finished,
  type LaunchOptions,
  launch,
  openFiles,
  type Running,
  root,
  rssKb,
  run,
} from './process.ts';

export { tempDir, writeTree } from './files.ts';
export type { Exit, Finished } from './process.ts';

export interface DaemonOptions {
  readonly sources?: readonly string[];
  /** Keys of the configuration file; they win over what the helper sets. */
  readonly conf?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Kept after the test when given. */
  readonly cacheDir?: string;
  /** Whom it runs as; needs root. */
  readonly user?: string;
  readonly cwd?: string;
  /** The daemon's main file, when it is not the checkout's. */
  readonly program?: string;
  /** A process whose network it has; needs root. */
  readonly inside?: number;
}

/** The real program at work. */
export interface Daemon {
  readonly port: number;
  /** `http://127.0.0.1:PORT/`. */
  readonly url: string;
  readonly pid: number;
  readonly cacheDir: string;
  readonly confFile: string;
  readonly controlSocket: string;
  /** All lines so far, of every start. */
  log(): string[];
  /** The first line that matches, of those after the first `after` ones; waits for it. */
  logged(pattern: RegExp, after?: number): Promise<string>;
  /** Writes the configuration file anew; SIGHUP is the test's. */
  configure(conf: Readonly<Record<string, string>>): Promise<void>;
  signal(name: NodeJS.Signals): void;
  stop(signal?: NodeJS.Signals): Promise<Exit>;
  kill(): Promise<Exit>;
  /** Starts it on the same port, cache and configuration; stops it first when it runs. */
  restart(): Promise<void>;
  get(target: string, options?: Omit<RequestOptions, 'port' | 'target'>): Promise<Answer>;
  rssKb(): Promise<number>;
  cpuSeconds(): Promise<number>;
  openFiles(): Promise<string[]>;
}

interface Place {
  readonly options: DaemonOptions;
  readonly cacheDir: string;
  readonly confFile: string;
  readonly controlSocket: string;
  readonly log: Log;
}

interface Life {
  readonly running: Running;
  readonly port: number;
}

const checkout = join(root, 'daemon/main.ts');
const startBound = 20_000;
const stopBound = 30_000;
const teardownBound = 3000;
const listening = /listening on http:\/\/\S+:(\d+)\//;

/** Starts the daemon with a configuration of its own and waits until it listens. */
export async function startDaemon(
  t: ExecutionContext,
  options: DaemonOptions = {},
): Promise<Daemon> {
  const place = await settle(t, options);
  await configure(place, options.conf ?? {});
  let life = await begin(place, 0);
  t.teardown(async () => {
    life.running.signal('SIGTERM');
    await life.running.exitWithin(teardownBound);
    if (!t.passed) t.log(place.log.lines().join('\n'));
    place.log.assertSane();
  });
  const pid = () => life.running.pid;
  const { port } = life;
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    get pid() {
      return pid();
    },
    cacheDir: place.cacheDir,
    confFile: place.confFile,
    controlSocket: place.controlSocket,
    log: () => place.log.lines(),
    logged: (pattern, after) => place.log.find(pattern, after),
    configure: (conf) => configure(place, conf),
    signal: (name) => life.running.signal(name),
    stop: (signal = 'SIGTERM') => end(life, signal),
    kill: () => end(life, 'SIGKILL'),
    restart: async () => {
      await end(life, 'SIGTERM');
      life = await begin(place, port);
    },
    get: (target, asked = {}) => request({ ...asked, port, target }),
    rssKb: () => rssKb(pid()),
    cpuSeconds: () => cpuSeconds(pid()),
    openFiles: () => openFiles(pid()),
  };
}

/** Runs the daemon's program to its end, as for `--help` or a bad configuration. */
export async function runDaemon(
  args: readonly string[],
  options: Omit<LaunchOptions, 'args'> & { readonly within?: number } = {},
): Promise<Finished> {
  return run(process.execPath, { within: startBound, ...options, args: [checkout, ...args] });
}

async function settle(t: ExecutionContext, options: DaemonOptions): Promise<Place> {
  const directory = await tempDir(t);
  const cacheDir = options.cacheDir ?? join(directory, 'cache');
  await mkdir(cacheDir, { recursive: true });
  if (options.user !== undefined) execFileSync('chown', ['-R', `${options.user}:`, directory]);
  const confFile = join(directory, 'package-cache.conf');
  const controlSocket = join(directory, 'control.sock');
  return { options, cacheDir, confFile, controlSocket, log: new Log() };
}

async function configure(place: Place, conf: Readonly<Record<string, string>>): Promise<void> {
  const { sources } = place.options;
  const all: Record<string, string> = {
    CACHE_DIR: place.cacheDir,
    HOST: '127.0.0.1',
    // Beside this test's files: daemons of other tests run at the same time.
    CONTROL_SOCKET: place.controlSocket,
    ...(sources === undefined ? {} : { SOURCES: sources.join(' ') }),
    ...conf,
  };
  const lines = Object.entries(all).map(([key, value]) => `${key}=${quoted(value)}\n`);
  await writeFile(place.confFile, lines.join(''));
}

/** As a shell wants it: nothing expands between single quotes. */
function quoted(value: string): string {
  return /["$`\\]/.test(value) ? `'${value}'` : `"${value}"`;
}

/** Two at a time: a file's tests begin together, and a dozen programs would starve each other. */
const gangway: Promise<unknown>[] = [Promise.resolve(), Promise.resolve()];

async function begin(place: Place, port: number): Promise<Life> {
  const before = gangway.shift();
  const life = Promise.resolve(before).then(() => launchDaemon(place, port));
  gangway.push(life.catch(() => {}));
  return life;
}

async function launchDaemon(place: Place, port: number): Promise<Life> {
  const { options, confFile, log } = place;
  const { env = {}, cwd, user, inside, args = [], program = checkout } = options;
  const after = log.lines().length;
  const running = launch(process.execPath, {
    args: [program, '--config', confFile, '--port', String(port), ...args],
    env,
    ...(cwd === undefined ? {} : { cwd }),
    ...(user === undefined ? {} : { user }),
    ...(inside === undefined ? {} : { inside }),
    onLine: (line) => log.add(line),
  });
  log.follow(running.exited);
  const timer = setTimeout(() => running.signal('SIGKILL'), startBound);
  const line = await log.find(listening, after).finally(() => clearTimeout(timer));
  return { running, port: Number(listening.exec(line)?.[1]) };
}

async function end({ running }: Life, signal: NodeJS.Signals): Promise<Exit> {
  running.signal(signal);
  return running.exitWithin(stopBound);
}
