import { fstatSync, readFileSync } from 'node:fs';
import { CacheError, describe } from '../errors.ts';

/** The first descriptor that is handed over: SD_LISTEN_FDS_START of sd_listen_fds(3). */
const FIRST = 3;

/** __SO_ACCEPTCON, as /proc/net/unix shows the flags of a socket that listens. */
const LISTENS = 0x10000;

/** Listening sockets that the service manager holds, and hands to each daemon it starts. */
export interface HandedSockets {
  /** Those that clients connect to; none when there are none, and HOST and PORT count. */
  readonly http: readonly number[];
  /** The Unix socket of the control channel, with the path it is bound to. */
  readonly control?: HandedControl;
}

/** A Unix socket that listens already. */
export interface HandedControl {
  readonly descriptor: number;
  readonly path: string;
}

/**
 * Takes over what sd_listen_fds(3) tells of, and takes the variables out of the environment.
 *
 * @throws CacheError `config` that names a descriptor which is no listening stream socket.
 */
export function takeSockets(env: NodeJS.ProcessEnv): HandedSockets {
  const { LISTEN_PID: pid, LISTEN_FDS: count = '', LISTEN_FDNAMES: names = '' } = env;
  for (const name of ['LISTEN_PID', 'LISTEN_PIDFDID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) {
    delete env[name];
  }
  if (pid !== String(process.pid) || !/^[1-9]\d{0,3}$/.test(count)) return { http: [] };
  const http: number[] = [];
  let control: HandedControl | undefined;
  for (const [index, descriptor] of range(Number(count)).entries()) {
    const thing = describeOne(descriptor, names.split(':')[index]);
    const inode = inodeOf(descriptor, thing);
    const unix = unixSocket(inode);
    if (unix === undefined) http.push(descriptor);
    else if (!unix.listens) throw useless(thing, 'it is a Unix socket that does not listen');
    else if (control !== undefined) throw useless(thing, `"${control.path}" is the control socket`);
    else control = { descriptor, path: unix.path };
  }
  return { http, ...(control === undefined ? {} : { control }) };
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => FIRST + index);
}

function describeOne(descriptor: number, name = ''): string {
  return name === '' ? `descriptor ${descriptor}` : `descriptor ${descriptor} (${name})`;
}

function inodeOf(descriptor: number, thing: string): number {
  let isSocket: boolean;
  let ino: number;
  try {
    const found = fstatSync(descriptor);
    isSocket = found.isSocket();
    ino = found.ino;
  } catch (cause) {
    throw useless(thing, describe(cause), cause);
  }
  if (!isSocket) throw useless(thing, 'it is no socket');
  return ino;
}

/** What proc_net(5) tells of a Unix socket; undefined for a socket of another kind. */
function unixSocket(inode: number): { listens: boolean; path: string } | undefined {
  const line = readFileSync('/proc/self/net/unix', 'utf8')
    .split('\n')
    .map((text) => /^\S+ \S+ \S+ (\S+) (\S+) \S+ +(\d+) ?(.*)$/.exec(text))
    .find((fields) => Number(fields?.[3]) === inode);
  if (line === undefined || line === null) return undefined;
  const [, flags = '', type = '', , path = ''] = line;
  // A stream that listens: datagrams and packets have other types.
  const listens = Number(type) === 1 && (Number.parseInt(flags, 16) & LISTENS) !== 0;
  return { listens, path };
}

function useless(thing: string, reason: string, cause?: unknown): CacheError {
  const way = 'the socket unit wants ListenStream= and Accept=no';
  return new CacheError('config', { verb: 'use', thing, reason: `${reason}; ${way}`, cause });
}
