import { connect } from 'node:net';
import { createQueue } from './datagram-queue.ts';
import { type LogLevel, type Syslog, severities } from './log-level.ts';
import { openLogger } from './logger-program.ts';
import { type Datagrams, openDatagrams } from './unix-datagram.ts';

/** LOG_DAEMON of syslog(3), as it stands in a priority. */
const DAEMON = 3 << 3;

/** What a message may have, its head included: more than local log daemons cut, or less. */
const MAX_BYTES = 2048;

/** One that is busy is tried again soon, for its queue is short; one that is not there, later. */
const PATIENCE = {
  most: 1000,
  passing: {
    ...{ EAGAIN: 20, ENOBUFS: 20 },
    ...{ ENOENT: 1000, ECONNREFUSED: 1000, ECONNRESET: 1000, ENOTCONN: 1000 },
  },
};

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** What a system's log is opened with. */
export interface SyslogOptions {
  /** The socket of the log daemon: /dev/log, but for tests. */
  readonly path: string;
  /** Told when the log daemon takes nothing, once until it does again. */
  readonly complain: (reason: string) => void;
}

/**
 * Opens the system's log, as syslog(3) does. Lines wait for a log daemon that is not there or busy,
 * up to a thousand; those on top are counted, and the count is logged. Where koffi is missing, or
 * the log daemon takes no datagrams, the program logger(1) passes the lines on.
 *
 * @throws CacheError `config` when that is missing too.
 */
export async function openSyslog(options: SyslogOptions): Promise<Syslog> {
  const datagrams = await openDatagrams(options.path);
  if (datagrams === undefined) return openLogger(options.path);
  if (!(await takesStreams(options.path))) return bySocket(datagrams, options);
  datagrams.close();
  return openLogger(options.path);
}

function bySocket(datagrams: Datagrams, { path, complain }: SyslogOptions): Syslog {
  let [lost, failing] = [0, false];
  const tried = (errno: string | undefined) => {
    if (errno !== undefined && !failing) complain(`Cannot log to "${path}" yet: ${errno}`);
    failing = errno !== undefined;
  };
  const queue = createQueue(datagrams, { ...PATIENCE, tried });
  return {
    write: (level, text) => {
      if (lost > 0 && queue.send(messageOf('warn', `${lost} lines were lost here`))) lost = 0;
      if (!queue.send(messageOf(level, text))) lost += 1;
    },
    close: () => queue.close(),
  };
}

/** Some log daemons listen for streams; a socket for datagrams refuses those by its kind. */
async function takesStreams(path: string): Promise<boolean> {
  const socket = connect(path);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once('connect', () => resolve(true));
  socket.once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

/** As RFC 3164 has it and log daemons take it locally: without a host name, in local time. */
function messageOf(level: LogLevel, text: string): string {
  const now = new Date();
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${months[now.getMonth()]} ${String(now.getDate()).padStart(2)}`;
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(':');
  const priority = `<${DAEMON | severities[level]}>`;
  return cut(`${priority}${day} ${time} package-cache[${process.pid}]: ${text}`);
}

function cut(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_BYTES) return text;
  // The last character may have been cut in two.
  const whole = bytes
    .subarray(0, MAX_BYTES - 3)
    .toString()
    .replace(/\ufffd+$/, '');
  return `${whole}…`;
}
