import { readFile } from 'node:fs/promises';
import { checkDirectory } from './cache/directory.ts';
import { type Config, loadConfig } from './config/config.ts';
import { helpText, parseOptions } from './config/options.ts';
import { createSettings, type Daemon, openDaemon } from './daemon.ts';
import { CacheError, type ErrorCode } from './errors.ts';
import { type Log, openLog } from './system/log.ts';
import { dropPrivileges } from './system/privileges.ts';

/** EX_CONFIG of sysexits.h: starting again changes nothing. */
const EX_CONFIG = 78;
const startupFaults: readonly ErrorCode[] = ['usage', 'config', 'storage'];

/** Runs the daemon, or what else the command line asks for, and resolves to the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  let log: Log | undefined;
  try {
    const options = parseOptions(argv);
    if (options.action === 'help') return print(helpText());
    if (options.action === 'version') return print(`package-cache ${await readVersion()}\n`);
    const load = () => loadConfig({ argv, env: process.env });
    const config = load();
    process.umask(0o022);
    if (config.user !== undefined) dropPrivileges({ user: config.user, group: config.group });
    if (options.action === 'check') return await check(config);
    log = openLog(config, process.env.JOURNAL_STREAM !== undefined);
    if (process.getuid?.() === 0) log.warn('running as root; set PC_USER to run as another user');
    const daemon = await openDaemon({ config, log, version: await readVersion() });
    await untilStopped({ daemon, load, log });
    return 0;
  } catch (error) {
    process.stderr.write(`package-cache: ${wordError(error)}\n`);
    return error instanceof CacheError && startupFaults.includes(error.code) ? EX_CONFIG : 1;
  } finally {
    await log?.close();
  }
}

async function check(config: Config): Promise<number> {
  createSettings(config);
  await checkDirectory(config.cacheDir);
  return print(`${config.file ?? 'the configuration'} is right\n`);
}

interface Running {
  readonly daemon: Daemon;
  readonly load: () => Config;
  readonly log: Log;
}

async function untilStopped({ daemon, load, log }: Running): Promise<void> {
  const stopped = Promise.withResolvers<NodeJS.Signals>();
  process.once('SIGTERM', stopped.resolve);
  process.once('SIGINT', stopped.resolve);
  process.on('SIGHUP', () => {
    try {
      daemon.reload(load());
    } catch (error) {
      log.error(`the configuration stays as it was: ${wordError(error)}`);
    }
  });
  log.info(`stopping on ${await stopped.promise}`);
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
