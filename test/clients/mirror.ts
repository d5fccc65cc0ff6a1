import { readdir, readFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { Origin } from '../helpers/origin.ts';
import { type LaunchOptions, launch, root, run } from '../helpers/process.ts';
import { type Scene, startScene } from './fetchers.ts';

/** A scene that is set up as a file of `contrib/clients` says. */
export interface SnippetScene extends Scene {
  /** The file's text, with this daemon's address. */
  readonly snippet: string;
}

export interface SnippetOptions {
  readonly snippet: string;
  /** A source that stands before the scene's own. */
  readonly ahead?: string | undefined;
}

/** Starts a daemon with the sources that a snippet wants, which checks every index. */
export async function startSnippet(
  t: ExecutionContext,
  options: SnippetOptions,
): Promise<SnippetScene> {
  const text = await readSnippet(options.snippet);
  const scene = await startScene(t, {}, (origin) => ({
    ...sourcesOf(text, origin, options.ahead),
    MUTABLE_TTL: '0s',
  }));
  const snippet = text.replaceAll('http://cache:4000', scene.daemon.url.replace(/\/$/, ''));
  return { ...scene, snippet };
}

/** The same with files on disk, which the source serves. */
export interface Mirror extends SnippetScene {
  readonly tree: string;
  /** Serves what has changed in the tree. */
  publish(): Promise<void>;
}

export interface MirrorOptions extends SnippetOptions {
  /** Fills the tree. */
  build(tree: string): Promise<void>;
}

/** Starts a mirror whose files are an hour old. */
export async function startMirror(t: ExecutionContext, options: MirrorOptions): Promise<Mirror> {
  const scene = await startSnippet(t, options);
  const tree = join(scene.directory, 'tree');
  await options.build(tree);
  await backdate(tree);
  const publish = () => serveTree(scene.origin, tree);
  await publish();
  return { ...scene, tree, publish };
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

/** All files below a directory. */
export async function filesOf(tree: string): Promise<string[]> {
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
  /** Ctrl-C when nothing is said. */
  readonly signal?: NodeJS.Signals;
}

/** Runs a client until it has a part of its file, and stops it. */
export async function interrupt(program: string, options: Interruption): Promise<void> {
  // In a process group of its own, all of which gets the signal at once, as from a terminal.
  const client = launch('setsid', {
    ...options,
    args: [program, ...options.args],
    onLine: () => {},
  });
  const bound = Date.now() + 20_000;
  while ((await sizeBelow(options)) < options.bytes && Date.now() < bound) await pause(20);
  process.kill(-client.pid, options.signal ?? 'SIGINT');
  await client.exitWithin(10_000);
}

async function sizeBelow({ below, name }: Interruption): Promise<number> {
  const file = (await filesOf(below)).find((path) => name.test(path));
  return file === undefined ? 0 : (await stat(file).catch(() => ({ size: 0 }))).size;
}
