/** How much is said; each level includes the ones before it. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** The severities of syslog(3), which journald takes as well (sd-daemon(3)). */
export const severities: Readonly<Record<LogLevel, number>> = {
  error: 3,
  warn: 4,
  info: 6,
  debug: 7,
};

/** The system's log. */
export interface Syslog {
  /** Passes one line on; never waits, and never fails. */
  write(level: LogLevel, text: string): void;
  close(): Promise<void>;
}
