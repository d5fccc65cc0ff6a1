import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { check, reloadDoubt } from './check.ts';
import { type Config, loadConfig } from './config/config.ts';
import { helpText, parseOptions } from './config/options.ts';
import { type Daemon, openDaemon } from './daemon.ts';
import { CacheError, type ErrorCode } from './errors.ts';
import { type Prepared, prepare } from './prepare.ts';
import { connectionDoubt } from './serve/allowance.ts';
import { descriptorLimit } from './system/descriptors.ts';
import { forStandardError, isJournal, type Log, openLog } from './system/log.ts';
import { openServiceManager, takeExpectations } from './system/service-manager.ts';

/** EX_CONFIG of sysexits.h: starting again changes nothing. */
const EX_CONFIG = 78;
/** EX_SOFTWARE: the next start may go well for years. */
const EX_SOFTWARE = 70;
const exitCodes: Partial<Record<ErrorCode, number>> = {
  usage: EX_CONFIG,
  config: EX_CONFIG,
  storage: EX_CONFIG,
  bug: EX_SOFTWARE,
};
/** So long, in ms, a log that hangs may take to write the last lines. */
const LAST_WORDS = 5000;

/** Runs the daemon, or what else the command line asks for, and resolves to the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  const journal = isJournal(process.env);
  outliveReaders();
  // Everybody may list processes: the title takes the place of the whole command line.
  if (argv.some((argument) => argument.includes('@'))) process.title = 'package-cache';
  try {
    const options = parseOptions(argv);
    if (options.action === 'help') return print(helpText());
    if (options.action === 'version') return print(`package-cache ${await readVersion()}\n`);
    const load = () => loadConfig({ argv, env: process.env });
    process.umask(0o022);
    if (options.action === 'check') return await tellCheck(load());
    return await serve(load, journal);
  } catch (error) {
    const text = `package-cache: ${wordError(error)}`;
    process.stderr.write(`${forStandardError(text, 'error', journal)}\n`);
    return (error instanceof CacheError ? exitCodes[error.code] : undefined) ?? 1;
  }
}

// Whoever read our output may go away, as a pager does or a log daemon that restarts.
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

async function tellCheck(config: Config): Promise<number> {
  for (const line of await check(config)) process.stderr.write(`package-cache: warning: ${line}\n`);
  return print(`${config.file ?? 'the configuration'} is right\n`);
}

async function serve(load: () => Config, journal: boolean): Promise<number> {
  const config = load();
  const signals = catchSignals();
  const expectations = takeExpectations(process.env);
  const prepared = await prepare(config, process.env).catch((error: unknown) =>
    failEarly(config, error),
  );
  const log = await openLog(config, journal);
  const bug = catchBug();
  const manager = await openServiceManager(expectations, log);
  const untilEnd = async (): Promise<number> => {
    await warn({ config, prepared, log });
    const version = await readVersion();
    const daemon = await openDaemon({ config, load, log, version, manager, ...prepared });
    await untilStopped({ daemon, log, signals });
    return 0;
  };
  try {
    return await Promise.race([untilEnd(), bug]);
  } catch (error) {
    // Standard error is told as well, but may be nobody's.
    if (config.syslog || config.logFile !== undefined) log.error(wordError(error));
    throw error;
  } finally {
    await Promise.race([manager.close().then(log.close), delay(LAST_WORDS)]);
  }
}

// A rejected promise that nobody awaits is one too: whatever the daemon believes may be wrong then,
// and it must not serve from that.
function catchBug(): Promise<never> {
  const bug = Promise.withResolvers<never>();
  process.on('uncaughtException', (cause) => {
    const reason = `a bug, please report it: ${wordError(cause)}`;
    bug.reject(new CacheError('bug', { verb: 'run', thing: 'package-cache', reason, cause }));
  });
  return bug.promise;
}

// A log file may not be opened by root, whose it would be for ever; the system's log may.
async function failEarly({ syslog }: Config, error: unknown): Promise<never> {
  if (syslog) {
    const log = await openLog({ logLevel: 'error', syslog }, false);
    log.error(wordError(error));
    await log.close();
  }
  throw error;
}

interface Warnings {
  readonly config: Config;
  readonly prepared: Prepared;
  readonly log: Log;
}

async function warn({ config, prepared, log }: Warnings): Promise<void> {
  if (process.getuid?.() === 0) log.warn('running as root; set PC_USER to run as another user');
  for (const doubt of [
    await reloadDoubt(config),
    connectionDoubt(await descriptorLimit(), config),
  ]) {
    if (doubt !== undefined) log.warn(doubt);
  }
  if (prepared.handed) log.info('sockets were handed over: HOST and PORT are not used');
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
    daemon
      .reload()
      .catch((error: unknown) =>
        log.error(`the configuration stays as it was: ${wordError(error)}`),
      );
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
