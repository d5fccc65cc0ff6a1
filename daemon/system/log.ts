import { fstatSync } from 'node:fs';
import { Writable } from 'node:stream';
import { createLogger, format, type Logger, transports } from 'winston';
import { printable } from '../errors.ts';
import { type LineFile, openLineFile } from './line-file.ts';

/** How much is said; each level includes the ones before it. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** Where the daemon speaks: to its standard error, and of each request to the access log. */
export interface Log {
  error(line: string): void;
  warn(line: string): void;
  info(line: string): void;
  debug(line: string): void;
  /** One line a request, when ACCESS_LOG is set. */
  access(line: string): void;
  /** Sets level and access log anew; a file that was moved away is opened under its name again. */
  configure(options: LogOptions): void;
  /** Resolves when everything said is written. */
  close(): Promise<void>;
}

/** What of the configuration the log obeys. */
export interface LogOptions {
  readonly logLevel: LogLevel;
  /** The path of the access log, if there is to be one. */
  readonly accessLog?: string;
}

/** syslog(3) priorities: journald takes them from the start of a line, as sd-daemon(3) says. */
const priorities: Readonly<Record<string, number>> = { error: 3, warn: 4, info: 6, debug: 7 };

/**
 * Whether journald reads standard error: as systemd.exec(5) says, JOURNAL_STREAM alone does not tell,
 * since whatever such a service starts inherits it, a terminal among others.
 */
export function isJournal({ JOURNAL_STREAM }: NodeJS.ProcessEnv): boolean {
  if (JOURNAL_STREAM === undefined) return false;
  const { dev, ino } = fstatSync(2, { bigint: true });
  return JOURNAL_STREAM === `${dev}:${ino}`;
}

/** Opens the log; `journal` says that journald reads it, which keeps the time itself. */
export function openLog(options: LogOptions, journal: boolean): Log {
  const line = format.printf(({ level, message, timestamp }) => {
    const text = printable(String(message));
    return journal ? `<${priorities[level] ?? 6}>${text}` : `${timestamp} ${level}: ${text}`;
  });
  const logger = createLogger({
    level: options.logLevel,
    format: format.combine(format.timestamp(), line),
    transports: [new transports.Stream({ stream: standardError() })],
  });
  let access = openAccessLog(options.accessLog, logger);
  let closing: Promise<unknown> = Promise.resolve();
  return {
    error: (text) => void logger.error(text),
    warn: (text) => void logger.warn(text),
    info: (text) => void logger.info(text),
    debug: (text) => void logger.debug(text),
    access: (text) => access?.write(printable(text)),
    configure: (changed) => {
      logger.level = changed.logLevel;
      const former = access;
      access = openAccessLog(changed.accessLog, logger);
      closing = Promise.all([closing, former?.close()]);
    },
    close: async () => {
      await Promise.all([closing, access?.close()]);
      await ended(logger);
    },
  };
}

// A full disk, or a reader that went away, must not end the daemon: then there is nobody to tell.
function standardError(): Writable {
  return new Writable({
    write: (chunk, _encoding, done) => {
      try {
        process.stderr.write(chunk);
      } catch {}
      done();
    },
  });
}

function openAccessLog(path: string | undefined, log: Logger): LineFile | undefined {
  if (path === undefined) return undefined;
  return openLineFile(path, (reason) => log.error(`Cannot write access log "${path}": ${reason}`));
}

async function ended(logger: Logger): Promise<void> {
  const finished = Promise.withResolvers<void>();
  logger.once('finish', finished.resolve);
  logger.end();
  await finished.promise;
}
