import { createLogger, format, type Logger, transports } from 'winston';
import { printable } from '../errors.ts';

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

/** Opens the log; `journal` says that journald reads it, which keeps the time itself. */
export function openLog(options: LogOptions, journal: boolean): Log {
  const line = format.printf(({ level, message, timestamp }) => {
    const text = printable(String(message));
    return journal ? `<${priorities[level] ?? 6}>${text}` : `${timestamp} ${level}: ${text}`;
  });
  const logger = createLogger({
    level: options.logLevel,
    format: format.combine(format.timestamp(), line),
    transports: [new transports.Console({ stderrLevels: Object.keys(priorities) })],
  });
  let access = openAccessLog(options.accessLog, logger);
  return {
    error: (text) => void logger.error(text),
    warn: (text) => void logger.warn(text),
    info: (text) => void logger.info(text),
    debug: (text) => void logger.debug(text),
    access: (text) => void access?.info(text),
    configure: (changed) => {
      logger.level = changed.logLevel;
      access?.close();
      access = openAccessLog(changed.accessLog, logger);
    },
    close: async () => {
      if (access !== undefined) await ended(access);
      await ended(logger);
    },
  };
}

function openAccessLog(path: string | undefined, log: Logger): Logger | undefined {
  if (path === undefined) return undefined;
  const file = new transports.File({ filename: path });
  let failing = false;
  file.on('error', (error: Error) => {
    if (!failing) log.error(`Cannot write access log "${path}": ${error.message}`);
    failing = true;
  });
  const lineFormat = format.printf(({ message }) => printable(String(message)));
  return createLogger({ format: lineFormat, transports: [file] });
}

async function ended(logger: Logger): Promise<void> {
  const finished = Promise.withResolvers<void>();
  logger.once('finish', finished.resolve);
  logger.end();
  await finished.promise;
}
