import { readdir, readFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { type Daemon, startDaemon, tempDir } from '../helpers/daemon.ts';
import { type Origin, startOrigin } from '../helpers/origin.ts';
import { type LaunchOptions, launch, root, run } from '../helpers/process.ts';

/** A mirror on disk, a source that serves it, and a daemon in front, as a snippet says. */
export interface Mirror {
  /** For what the test makes. */
  readonly directory: string;
  /** What the source serves. */
  readonly tree: string;
  readonly origin: Origin;
  readonly daemon: Daemon;
  /** The snippet, with this daemon's address. */
  readonly snippet: string;
  /** Serves what has changed in the tree. */
  publish(): Promise<void>;
  /** Lines of ACCESS_LOG; ends the daemon, so that none is missing. */
  answers(): Promise<string[]>;
}

export interface MirrorOptions {
  /** The file of `contrib/clients` that the client is configured with. */
  readonly snippet: string;
  /** A source that stands before the mirror. */
  readonly ahead?: string | undefined;
  /** Fills the tree. */
  build(tree: string): Promise<void>;
}

/** Starts a mirror whose files are an hour old, and a daemon that checks every index. */
export async function startMirror(t: ExecutionContext, options: MirrorOptions): Promise<Mirror> {
  const directory = await tempDir(t);
  const tree = await tempDir(t);
  await options.build(tree);
  await backdate(tree);
  const origin = await startOrigin(t);
  await serveTree(origin, tree);
  const snippet = await readSnippet(options.snippet);
  const accessLog = join(directory, 'access.log');
  const daemon = await startDaemon(t, {
    sources: [origin.url],
    conf: {
      ...sourcesOf(snippet, origin, options.ahead),
      MUTABLE_TTL: '0s',
      ACCESS_LOG: accessLog,
    },
  });
  return {
    directory,
    tree,
    origin,
    daemon,
    snippet: snippet.replaceAll('http://cache:4000/', daemon.url),
    publish: () => serveTree(origin, tree),
    answers: async () => {
      await daemon.stop();
      return (await readFile(accessLog, 'utf8')).trim().split('\n');
    },
  };
}

/** The text of a file of `contrib/clients`. */
export async function readSnippet(name: string): Promise<string> {
  return readFile(join(root, 'contrib/clients', name), 'utf8');
}

/** The sources that a snippet's comments want to be configured, with an origin in their place. */
function sourcesOf(snippet: string, { url }: Origin, ahead = ''): Record<string, string> {
  const wanted = [...snippet.matchAll(/(SOURCES\w*)="(\S+)"/g)];
  return Object.fromEntries(
    wanted.map(([, key = '', mirror = '']) => {
      const { pathname } = new URL(mirror);
      return [key, `${ahead} ${url}${pathname.slice(1)}`];
    }),
  );
}

/** Serves a directory as a mirror does, each file with its own time. */
async function serveTree(origin: Origin, tree: string): Promise<void> {
  for (const file of await filesOf(tree)) {
    const { mtime } = await stat(file);
    origin.serve(file.slice(tree.length), { body: await readFile(file), lastModified: mtime });
  }
}

// What is published next is newer then, by more than the second that dates are exact to.
async function backdate(tree: string): Promise<void> {
  const hourAgo = Math.floor(Date.now() / 1000) - 3600;
  for (const file of await filesOf(tree)) await utimes(file, hourAgo, hourAgo);
}

async function filesOf(tree: string): Promise<string[]> {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name));
}

/** Runs what must succeed, and answers what it said. */
export async function must(
  program: string,
  args: readonly string[],
  options: Omit<LaunchOptions, 'args'> = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(program, { ...options, args });
  if (code !== 0) throw new Error(`${program} exited with ${code}: ${stdout}${stderr}`);
  return stdout;
}

export interface Interruption extends LaunchOptions {
  /** Where the client keeps what it has of the file. */
  readonly below: string;
  readonly name: RegExp;
  /** It is interrupted when it has so many bytes. */
  readonly bytes: number;
}

/** Runs a client until it has a part of its file, and presses Ctrl-C. */
export async function interrupt(program: string, options: Interruption): Promise<void> {
  // In a process group of its own, all of which gets the signal at once, as from a terminal.
  const client = launch('setsid', {
    ...options,
    args: [program, ...options.args],
    onLine: () => {},
  });
  const bound = Date.now() + 20_000;
  while ((await sizeBelow(options)) < options.bytes && Date.now() < bound) await pause(20);
  process.kill(-client.pid, 'SIGINT');
  await client.exitWithin(10_000);
}

async function sizeBelow({ below, name }: Interruption): Promise<number> {
  const file = (await filesOf(below)).find((path) => name.test(path));
  return file === undefined ? 0 : (await stat(file).catch(() => ({ size: 0 }))).size;
}
