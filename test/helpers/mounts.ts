import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import type { ExecutionContext } from 'ava';
import { tempDir } from './files.ts';
import { needs } from './programs.ts';

/** What to mount. */
export interface Mount {
  /** Below the directory that is returned; the directory itself when nothing is said. */
  readonly at?: string;
  /** As mount(8) takes them, such as `size=1m`. */
  readonly options: string;
}

/**
 * A directory with a tmpfs mounted at it or in it, seen through a process that has a mount
 * namespace of its own: it is gone with the test, however that ends. Undefined, with a note, for
 * whoever may not mount.
 */
export async function mountTmpfs(
  t: ExecutionContext,
  { at = '.', options }: Mount,
): Promise<string | undefined> {
  return mounted(t, { at, script: `mount -t tmpfs -o "${options}" none "$1"` });
}

/** The same with an overlay of two file systems at it, as a container may have for its root. */
export async function mountOverlay(t: ExecutionContext): Promise<string | undefined> {
  const layers = 'lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work';
  const script = `mount -t tmpfs none "$1" && mkdir "$1/lower" "$1/upper" "$1/work" &&
    mount -t tmpfs none "$1/lower" && mount -t overlay -o "${layers}" none "$1"`;
  return mounted(t, { at: '.', script });
}

/** The same with a file system at it on which files can share their bytes. */
export async function mountBtrfs(t: ExecutionContext): Promise<string | undefined> {
  if (!needs(t, 'mkfs.btrfs')) return undefined;
  const kernel = await readFile('/proc/filesystems', 'utf8');
  if (!/\tbtrfs$/m.test(kernel) || !existsSync('/dev/loop-control')) {
    t.log('Not tested: this kernel has no Btrfs, or no loop devices');
    t.pass();
    return undefined;
  }
  const script = `image=$(mktemp) && truncate -s 128M "$image" && mkfs.btrfs "$image" >/dev/null &&
    mount -o loop "$image" "$1" && rm "$image"`;
  return mounted(t, { at: '.', script });
}

interface Mounting {
  readonly at: string;
  /** Mounts at $1. */
  readonly script: string;
}

async function mounted(t: ExecutionContext, { at, script }: Mounting): Promise<string | undefined> {
  if (!needs(t, 'unshare', 'mount')) return undefined;
  if (process.getuid?.() !== 0) {
    t.log('Not tested: only root may mount');
    t.pass();
    return undefined;
  }
  const directory = await tempDir(t);
  await mkdir(`${directory}/${at}`, { recursive: true });
  // The shell lives as long as its input is open, and the mount as long as the shell.
  const shellScript = `${script} && echo mounted && read -r _`;
  const args = ['-m', 'sh', '-c', shellScript, 'sh', `${directory}/${at}`];
  const shell = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(shell, 'exit');
  t.teardown(async () => {
    shell.stdin.end();
    await exited;
  });
  await Promise.race([once(shell.stdout, 'data'), exited.then(([code]) => refuse(code))]);
  return `/proc/${shell.pid}/root${directory}`;
}

function refuse(code: unknown): never {
  throw new Error(`mount ended with ${code}`);
}
