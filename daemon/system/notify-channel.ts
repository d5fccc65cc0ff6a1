import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe } from '../errors.ts';
import { createQueue } from './datagram-queue.ts';
import { type Datagrams, openDatagrams } from './unix-datagram.ts';

/** Only a receiver that is busy is worth waiting for: it may be about to give this process up. */
const PATIENCE = { most: 100, passing: { EAGAIN: 100, ENOBUFS: 100 } };

/** The way to a service manager that speaks sd_notify(3). */
export interface NotifyChannel {
  /** Sends assignments as one message, after those before it. */
  send(assignments: readonly string[]): void;
  /** Resolves when what was sent has gone, or will never go. */
  close(): Promise<void>;
}

/**
 * Opens the way to NOTIFY_SOCKET: without one nothing is sent. Where koffi is missing the program
 * `systemd-notify` sends, which systemd believes only of a unit with NotifyAccess=all. `warn` gets
 * a line for the first failure.
 */
export async function openNotifyChannel(
  path: string | undefined,
  warn: (line: string) => void,
): Promise<NotifyChannel> {
  if (path === undefined) return { send: () => {}, close: async () => {} };
  let told = false;
  const fail = (reason: string) => {
    if (!told) warn(`Cannot tell the service manager at "${path}": ${reason}`);
    told = true;
  };
  try {
    const datagrams = await openDatagrams(path);
    return datagrams === undefined ? byProgram(path, fail) : bySocket(datagrams, fail);
  } catch (error) {
    fail(describe(error));
    return { send: () => {}, close: async () => {} };
  }
}

function bySocket(datagrams: Datagrams, fail: (reason: string) => void): NotifyChannel {
  const tried = (errno: string | undefined) => {
    if (errno !== undefined && !Object.hasOwn(PATIENCE.passing, errno)) fail(errno);
  };
  const queue = createQueue(datagrams, { ...PATIENCE, tried });
  return {
    send: (assignments) => void queue.send(assignments.join('\n')),
    close: () => queue.close(),
  };
}

function byProgram(path: string, fail: (reason: string) => void): NotifyChannel {
  const run = promisify(execFile);
  const env = { ...process.env, NOTIFY_SOCKET: path };
  let sent: Promise<unknown> = Promise.resolve();
  return {
    send: (assignments) => {
      sent = sent
        .then(() => run('systemd-notify', [...assignments], { env, timeout: 10_000 }))
        .catch((error: unknown) => fail(`koffi is missing, and ${describe(error)}`));
    },
    close: async () => {
      await sent;
    },
  };
}
