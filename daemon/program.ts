import { readFile } from 'node:fs/promises';
import { checkDirectory } from './cache/directory.ts';
import { type Config, loadConfig } from './config/config.ts';
import { helpText, parseOptions } from './config/options.ts';
import { controlPlaces } from './control/place.ts';
import { type Daemon, openDaemon } from './daemon.ts';
import { CacheError, type ErrorCode } from './errors.ts';
import { createSettings } from './serve/settings.ts';
import { isJournal, type Log, openLog } from './system/log.ts';
import { dropPrivileges } from './system/privileges.ts';

/** EX_CONFIG of sysexits.h: starting again changes nothing. */
const EX_CONFIG = 78;
const startupFaults: readonly ErrorCode[] = ['usage', 'config', 'storage'];

/** Runs the daemon, or what else the command line asks for, and resolves to the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  let log: Log | undefined;
  outliveReaders();
  try {
    const options = parseOptions(argv);
    if (options.action === 'help') return print(helpText());
    if (options.action === 'version') return print(`package-cache ${await readVersion()}\n`);
    const load = () => loadConfig({ argv, env: process.env });
    const config = load();
    process.umask(0o022);
    if (config.user !== undefined) dropPrivileges({ user: config.user, group: config.group });
    if (options.action === 'check') return await check(config);
    log = openLog(config, isJournal(process.env));
    if (process.getuid?.() === 0) log.warn('running as root; set PC_USER to run as another user');
    for (const name of withoutEffect(config)) log.warn(`${name} has no effect in this version`);
    const signals = catchSignals();
    const places = await controlPlaces({ ...config, env: process.env });
    const version = await readVersion();
    const daemon = await openDaemon({ config, load, log, version, controlPlaces: places });
    await untilStopped({ daemon, log, signals });
    return 0;
  } catch (error) {
    process.stderr.write(`package-cache: ${wordError(error)}\n`);
    return error instanceof CacheError && startupFaults.includes(error.code) ? EX_CONFIG : 1;
  } finally {
    await log?.close();
  }
}

// Whoever read our output may go away, as a pager does or a log daemon that restarts.
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

// Accepted, so that a file for a later version is none that this one refuses; but never in silence.
function withoutEffect({ syslog, manifests }: Config): readonly string[] {
  return [...(syslog ? ['--syslog'] : []), ...(manifests.length > 0 ? ['MANIFESTS'] : [])];
}

async function check(config: Config): Promise<number> {
  createSettings(config);
  await checkDirectory(config.cacheDir);
  return print(`${config.file ?? 'the configuration'} is right\n`);
}

interface Signals {
  /** Resolves to the signal that says so. */
  readonly stop: Promise<NodeJS.Signals>;
  /** Calls back for every SIGHUP, and once for those that came before. */
  onReload(reload: () => void): void;
}

// Before anything is opened: a signal that comes too early is obeyed as soon as it can be.
function catchSignals(): Signals {
  const stop = Promise.withResolvers<NodeJS.Signals>();
  let missed = false;
  let reload = () => {
    missed = true;
  };
  // A service manager may repeat itself; at a terminal the second Ctrl-C ends it at once.
  process.on('SIGTERM', stop.resolve);
  process.once('SIGINT', stop.resolve);
  process.on('SIGHUP', () => reload());
  return {
    stop: stop.promise,
    onReload: (act) => {
      reload = act;
      if (missed) act();
    },
  };
}

interface Running {
  readonly daemon: Daemon;
  readonly log: Log;
  readonly signals: Signals;
}

async function untilStopped({ daemon, log, signals }: Running): Promise<void> {
  signals.onReload(() => {
    try {
      daemon.reload();
    } catch (error) {
      log.error(`the configuration stays as it was: ${wordError(error)}`);
    }
  });
  log.info(`stopping on ${await signals.stop}`);
  await daemon.close();
  log.info('stopped');
}

function wordError(error: unknown): string {
  if (error instanceof CacheError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

async function readVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
