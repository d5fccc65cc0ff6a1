import { closeSync, writeSync } from 'node:fs';
import { describe, printable } from '../errors.ts';
import type { Log } from './log.ts';
import { type NotifyChannel, openNotifyChannel } from './notify-channel.ts';

/** How often it is said what the daemon does, if that has changed. */
const STATUS_EVERY = 10_000;

/** What an end takes on top of waiting for others, in milliseconds. */
const MARGIN = 5000;

/** Whoever started the daemon and wants to know how it is: systemd, s6, OpenRC, or nobody. */
export interface ServiceManager {
  /** It serves. `status` words what it does, and is asked again while it runs. */
  ready(status: () => string): void;
  /** It reads its configuration anew. */
  reloading(): void;
  /** It has, or keeps the one it had. */
  reloaded(): void;
  /** It ends, and waits for others so many milliseconds at most. */
  stopping(patience: number): void;
  close(): Promise<void>;
}

/** What a service manager said when it started this process. */
export interface Expectations {
  /** NOTIFY_SOCKET of sd_notify(3). */
  readonly socket?: string;
  /** Milliseconds in which it wants to hear of us, always anew: sd_watchdog_enabled(3). */
  readonly watchdog?: number;
  /** The descriptor that takes one line once it serves, as s6 and OpenRC's `notify=fd:` want it. */
  readonly readyDescriptor?: number;
}

/** Takes it out of the environment, where it is for this process and for none of its children. */
export function takeExpectations(env: NodeJS.ProcessEnv): Expectations {
  const { NOTIFY_SOCKET: socket, NOTIFY_FD: descriptor, WATCHDOG_USEC: usec } = env;
  const watched = [undefined, String(process.pid)].includes(env.WATCHDOG_PID) && Number(usec) > 0;
  for (const name of ['NOTIFY_SOCKET', 'NOTIFY_FD', 'WATCHDOG_USEC', 'WATCHDOG_PID']) {
    delete env[name];
  }
  return {
    ...(socket ? { socket } : {}),
    ...(watched ? { watchdog: Number(usec) / 1000 } : {}),
    ...(descriptor && /^\d+$/.test(descriptor) ? { readyDescriptor: Number(descriptor) } : {}),
  };
}

/** Prepares to tell whoever wants to know; a failure to tell is logged and hinders nothing. */
export async function openServiceManager(
  { socket, watchdog, readyDescriptor }: Expectations,
  log: Log,
): Promise<ServiceManager> {
  const channel: NotifyChannel = await openNotifyChannel(socket, (line) => log.warn(line));
  const timers: NodeJS.Timeout[] = [];
  let status = () => '';
  let told = '';
  const words = () => {
    told = status();
    return `STATUS=${printable(told)}`;
  };
  const begin = () => {
    if (readyDescriptor !== undefined) announce(readyDescriptor, log);
    const refresh = () => {
      if (status() !== told) channel.send([words()]);
    };
    timers.push(setInterval(refresh, STATUS_EVERY));
    // From this loop and no thread of its own: a loop that hangs is what is to be noticed.
    const ping = () => channel.send(['WATCHDOG=1']);
    if (watchdog !== undefined) timers.push(setInterval(ping, watchdog / 2));
  };
  return {
    ready: (wording) => {
      status = wording;
      channel.send(['READY=1', words()]);
      begin();
    },
    reloading: () => channel.send(['RELOADING=1', `MONOTONIC_USEC=${monotonic()}`]),
    reloaded: () => channel.send(['READY=1', words()]),
    stopping: (patience) =>
      channel.send(['STOPPING=1', `EXTEND_TIMEOUT_USEC=${(patience + MARGIN) * 1000}`, words()]),
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      await channel.close();
    },
  };
}

function announce(descriptor: number, log: Log): void {
  try {
    writeSync(descriptor, '\n');
    closeSync(descriptor);
  } catch (error) {
    log.warn(`Cannot tell descriptor ${descriptor} (NOTIFY_FD) of being ready: ${describe(error)}`);
  }
}

/** CLOCK_MONOTONIC in microseconds, which is what Node's high-resolution time is made of. */
function monotonic(): bigint {
  return process.hrtime.bigint() / 1000n;
}
