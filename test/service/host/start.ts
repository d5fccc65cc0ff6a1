import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { tempDir } from '../../helpers/files.ts';
import { launch, type Running } from '../../helpers/process.ts';
import { makeGroup } from './cgroup.ts';
import { type Host, intoGroup, makeHost } from './host.ts';
import type { Kind } from './kinds.ts';
import { connectHost } from './network.ts';
import { rootfsOf } from './rootfs.ts';

/** What a host is started with. */
export interface HostOptions {
  readonly kind: Kind;
  /** What of this machine shows in it, read-only: the place in the host, and the path here. */
  readonly shown: Readonly<Record<string, string>>;
}

const BOOT_BOUND = 60_000;

/**
 * Boots a host: namespaces in which a real init is PID 1, on a root file system that starts fresh,
 * with a wire to this machine and no other network. It is gone with the test, however that ends: its
 * first process dies with the one that started it, and with PID 1 the kernel ends all processes,
 * mounts and links of the host.
 */
export async function startHost(t: ExecutionContext, { kind, shown }: HostOptions): Promise<Host> {
  const rootfs = await rootfsOf(kind);
  const state = await tempDir(t);
  const group = await makeGroup(t);
  const binds = Object.entries(shown).map(([place, path]) => `${path}:${place}`);
  const name = `${kind.init}-${kind.suite}`;
  const boot = join(import.meta.dirname, 'boot');
  const namespaces = ['mount', 'pid', 'net', 'uts', 'ipc', 'cgroup'].map((space) => `--${space}`);
  const unshare = ['unshare', ...namespaces, '--propagation', 'private', '--fork'];
  const root = [boot, rootfs, state, name, kind.container, ...binds, '--', ...kind.command];
  const said: string[] = [];
  const parent = launch('sh', {
    // Into its group first, and then apart: so this one is the root of what the host sees.
    args: [...intoGroup, group, ...unshare, '--kill-child=KILL', '--', ...root],
    onLine: (line) => said.push(line),
  });
  t.teardown(async () => {
    parent.signal('SIGKILL');
    await parent.exited;
  });
  try {
    return await untilBooted({ kind, group, parent });
  } catch (cause) {
    throw new Error(`The host ${name} did not boot:\n${said.join('\n')}`, { cause });
  }
}

interface Booting {
  readonly kind: Kind;
  readonly group: string;
  readonly parent: Running;
}

async function untilBooted({ kind, group, parent }: Booting): Promise<Host> {
  const ended = parent.exited.then(() => Promise.reject(new Error('It ended')));
  ended.catch(() => {});
  const deadline = Date.now() + BOOT_BOUND;
  const until = async <T>(look: () => Promise<T | undefined>): Promise<T> => {
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error(`It took more than ${BOOT_BOUND} ms`);
      await Promise.race([pause(50), ended]);
    }
  };
  const pid = await until(() => initOf(parent.pid));
  const host = makeHost({ kind, group, pid, wired: await connectHost(pid) });
  await until(async () => ((await kind.booted(host)) ? true : undefined));
  return host;
}

/** The one child, once its root is laid out: then the init has it, or is about to. */
async function initOf(parent: number): Promise<number | undefined> {
  try {
    const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'latin1');
    const pid = Number.parseInt(children, 10);
    await access(`/proc/${pid}/root/run/booting`);
    return pid;
  } catch {
    return undefined;
  }
}
