import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { CacheError, describe } from '../errors.ts';
import { type LogLevel, type Syslog, severities } from './log-level.ts';

/** Bytes that wait for the program; lines on top are lost. */
const MOST_BUFFERED = 1024 ** 2;

/**
 * Opens the system's log through logger(1), which reads lines with their priority in front.
 *
 * @throws CacheError `config` when there is no such program.
 */
export async function openLogger(path: string): Promise<Syslog> {
  let child = await start(path);
  return {
    write: (level: LogLevel, text: string) => {
      // One that ended, as it may when the log daemon does, is started again by the next line.
      if (child.exitCode !== null || child.signalCode !== null) child = launch(path);
      const { stdin } = child;
      if (stdin !== null && stdin.writableLength < MOST_BUFFERED) {
        stdin.write(`<${severities[level]}>${text}\n`);
      }
    },
    close: async () => {
      const ended = once(child, 'close');
      child.stdin?.end();
      if (child.exitCode === null && child.signalCode === null) await ended;
    },
  };
}

async function start(path: string): Promise<ChildProcess> {
  const child = launch(path);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once('spawn', resolve);
  child.once('error', reject);
  try {
    await promise;
    return child;
  } catch (cause) {
    const reason = `koffi is missing or "${path}" takes no datagrams, and logger cannot be run: ${describe(cause)}`;
    throw new CacheError('config', { verb: 'use', thing: '--syslog', reason, cause });
  }
}

function launch(path: string): ChildProcess {
  const how = ['--socket', path, '--prio-prefix', '--priority', 'daemon.info'];
  const who = ['--tag', 'package-cache', `--id=${process.pid}`];
  const child = spawn('logger', [...how, ...who], { stdio: ['pipe', 'ignore', 'ignore'] });
  // Whoever writes next looks whether it still runs.
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  return child;
}
