import { fstatSync } from 'node:fs';
import { Writable } from 'node:stream';
import { createLogger, format, type Logger, transports } from 'winston';
import { printable } from '../errors.ts';
import { type LineFile, openLineFile } from './line-file.ts';
import { type LogLevel, severities } from './log-level.ts';
import { openSyslog } from './syslog.ts';
import { wayOut } from './way-out.ts';

export type { LogLevel } from './log-level.ts';

/** Where the log daemon listens. */
const SYSLOG = '/dev/log';

/** Where the daemon speaks, and of each request to the access log. */
export interface Log {
  error(line: string): void;
  warn(line: string): void;
  info(line: string): void;
  debug(line: string): void;
  /** One line a request, when ACCESS_LOG is set. */
  access(line: string): void;
  /**
   * Sets level and files anew, and opens the files under their names again. Resolves when all that
   * was said before is in those that were open, which somebody may have moved away to compress.
   */
  configure(options: LogOptions): Promise<void>;
  setLevel(level: LogLevel): void;
  /** Resolves when everything said is written. */
  close(): Promise<void>;
}

/** What of the configuration the log obeys. */
export interface LogOptions {
  readonly logLevel: LogLevel;
  /** The path of the log, when it is not to go to standard error. */
  readonly logFile?: string;
  /** The path of the access log, if there is to be one. */
  readonly accessLog?: string;
  /** Whether it goes to the system's log and not to standard error; for good. */
  readonly syslog: boolean;
}

/** A line and what is known of it. */
interface Entry {
  readonly level: LogLevel;
  readonly message: string;
  readonly timestamp: string;
}

/**
 * Whether journald reads standard error: as systemd.exec(5) says, JOURNAL_STREAM alone does not tell,
 * since whatever such a service starts inherits it, a terminal among others.
 */
export function isJournal({ JOURNAL_STREAM }: NodeJS.ProcessEnv): boolean {
  if (JOURNAL_STREAM === undefined) return false;
  const { dev, ino } = fstatSync(2, { bigint: true });
  return JOURNAL_STREAM === `${dev}:${ino}`;
}

/** A text for standard error: journald keeps the time itself, and wants each line's severity. */
export function forStandardError(text: string, level: LogLevel, journal: boolean): string {
  return journal ? text.replaceAll(/^/gm, `<${severities[level]}>`) : text;
}

/**
 * Opens the log; `journal` says that journald reads standard error.
 *
 * @throws CacheError `config` when there is no way to the system's log.
 */
export async function openLog(options: LogOptions, journal: boolean): Promise<Log> {
  const speak = (entry: Entry) => toStandardError(entry, journal);
  // What cannot be written where it belongs is told where it can be.
  const complain = (reason: string) => speak({ level: 'error', message: reason, timestamp: now() });
  const syslog = options.syslog ? await openSyslog({ path: SYSLOG, complain }) : undefined;
  const file = createLineSlot('log', complain);
  const write = (entry: Entry) => {
    const { level, message } = entry;
    const inFile = file.write(wordEntry(entry));
    syslog?.write(level, printable(message));
    if (!inFile && syslog === undefined) speak(entry);
  };
  const logger = createLogger({
    format: format.timestamp(),
    transports: [new transports.Stream({ stream: sinkOf(write) })],
  });
  const access = createLineSlot('access log', (reason) => void logger.error(reason));
  const configure = async ({ logLevel, logFile, accessLog }: LogOptions) => {
    logger.level = logLevel;
    await Promise.all([file.open(logFile), access.open(accessLog)]);
  };
  await configure(options);
  return {
    error: (text) => void logger.error(text),
    warn: (text) => void logger.warn(text),
    info: (text) => void logger.info(text),
    debug: (text) => void logger.debug(text),
    access: (text) => void access.write(printable(text)),
    configure,
    setLevel: (level) => {
      logger.level = level;
    },
    close: async () => {
      await access.open(undefined);
      await ended(logger);
      await Promise.all([file.open(undefined), syslog?.close()]);
    },
  };
}

/** A place for a file that takes lines. */
interface LineSlot {
  /** False when there is no file. */
  write(line: string): boolean;
  /** Puts another file there, or none, and resolves when the former one has all its lines. */
  open(path: string | undefined): Promise<void>;
}

function createLineSlot(what: string, complain: (reason: string) => void): LineSlot {
  let file: LineFile | undefined;
  const fail = (path: string) => (cause: unknown) =>
    complain(`Cannot write ${what} "${path}": ${wayOut(path, cause, 'file')}`);
  return {
    write: (line) => {
      file?.write(line);
      return file !== undefined;
    },
    open: async (path) => {
      const former = file;
      file = path === undefined ? undefined : openLineFile(path, fail(path));
      await former?.close();
    },
  };
}

function sinkOf(write: (entry: Entry) => void): Writable {
  return new Writable({
    objectMode: true,
    write: (entry: Entry, _encoding, done) => {
      write(entry);
      done();
    },
  });
}

// A full disk, or a reader that went away, must not end the daemon: then there is nobody to tell.
function toStandardError(entry: Entry, journal: boolean): void {
  const text = journal ? printable(entry.message) : wordEntry(entry);
  try {
    process.stderr.write(`${forStandardError(text, entry.level, journal)}\n`);
  } catch {}
}

function wordEntry({ level, message, timestamp }: Entry): string {
  return `${timestamp} ${level}: ${printable(message)}`;
}

function now(): string {
  return new Date().toISOString();
}

async function ended(logger: Logger): Promise<void> {
  const finished = Promise.withResolvers<void>();
  logger.once('finish', finished.resolve);
  logger.end();
  await finished.promise;
}
