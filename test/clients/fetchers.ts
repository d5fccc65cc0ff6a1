import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type Daemon, startDaemon, tempDir } from '../helpers/daemon.ts';
import { type Origin, type OriginOptions, startOrigin } from '../helpers/origin.ts';
import { type Finished, type LaunchOptions, run } from '../helpers/process.ts';

/** A download program and its arguments for one file. */
export type Fetcher = (fetch: {
  readonly url: string;
  readonly file: string;
  readonly resume: boolean;
}) => { readonly program: string; readonly args: string[] };

/** FETCHCOMMAND and RESUMECOMMAND of Portage's make.globals. */
export const wget: Fetcher = ({ url, file, resume }) => ({
  program: 'wget',
  args: [
    ...(resume ? ['-c'] : []),
    ...['-t', '3', '-T', '60', '--passive-ftp'],
    ...['-U', 'Portage (Gentoo, https://www.gentoo.org) distfile-fetch'],
    ...['-O', file, url],
  ],
});

export const curl: Fetcher = ({ url, file, resume }) => ({
  program: 'curl',
  args: ['-q', '-fsS', '--globoff', ...(resume ? ['-C', '-'] : []), '-o', file, url],
});

/** The wget of Fedora and others; its first versions leave the port out of Host. */
export const wget2: Fetcher = ({ url, file, resume }) => ({
  program: 'wget2',
  args: ['--no-config', ...(resume ? ['-c'] : []), '-O', file, url],
});

export const aria2: Fetcher = ({ url, file, resume }) => ({
  program: 'aria2c',
  args: [
    ...['--no-conf', '-x8', '-s8', '--min-split-size=1M', '--file-allocation=none'],
    ...['--allow-overwrite=true', '--auto-file-renaming=false', resume ? '-c' : '--continue=false'],
    ...['-d', dirname(file), '-o', basename(file), url],
  ],
});

/** An origin, a daemon in front of it and a directory for what clients fetch. */
export interface Scene {
  readonly origin: Origin;
  readonly daemon: Daemon;
  readonly directory: string;
  /** Lines of ACCESS_LOG, in the order of the requests; ends the daemon, so that none is missing. */
  answers(): Promise<string[]>;
  /** Runs a fetcher on a path in its spelling on the wire. */
  fetch(fetcher: Fetcher, path: string, options?: FetchOptions): Promise<Fetched>;
}

export interface FetchOptions {
  /** Goes on with this file of an earlier run. */
  readonly resume?: string;
  /** Another server than the daemon. */
  readonly from?: string;
  /** Goes on with these bytes, which an earlier download left. */
  readonly partial?: Buffer;
}

export interface Fetched extends Finished {
  readonly file: string;
  /** The file's bytes; undefined when there is none. */
  readonly bytes: Buffer | undefined;
}

/** What the daemon's configuration says beside SOURCES. */
export type Configure = (origin: Origin) => Readonly<Record<string, string>>;

/** Starts a scene; clients see no configuration and no home of this machine. */
export async function startScene(
  t: ExecutionContext,
  files: NonNullable<OriginOptions['files']>,
  configure: Configure = () => ({}),
): Promise<Scene> {
  const origin = await startOrigin(t, { files });
  const directory = await tempDir(t);
  const accessLog = join(directory, 'access.log');
  const conf = { ACCESS_LOG: accessLog, ...configure(origin) };
  const daemon = await startDaemon(t, { sources: [origin.url], conf });
  let count = 0;
  return {
    origin,
    daemon,
    directory,
    answers: async () => {
      await daemon.stop();
      const lines = (await readFile(accessLog, 'utf8')).trim().split('\n');
      const begun = (line: string) => /\[(.*?)\]/.exec(line)?.[1] ?? '';
      return lines.toSorted((one, other) => begun(one).localeCompare(begun(other)));
    },
    fetch: async (fetcher, path, { resume, partial, from = daemon.url } = {}) => {
      count += 1;
      const file = resume ?? join(directory, `fetched-${count}`);
      if (partial !== undefined) await writeFile(file, partial);
      const goOn = resume !== undefined || partial !== undefined;
      const { program, args } = fetcher({ url: `${from}${path}`, file, resume: goOn });
      const finished = await run(program, { args, ...clientEnvironment(directory) });
      return { ...finished, file, bytes: await readFile(file).catch(() => undefined) };
    },
  };
}

/** For programs whose messages are read and whose start-up files are not. */
export function clientEnvironment(home: string): Omit<LaunchOptions, 'args'> {
  return { cwd: home, env: { HOME: home, LC_ALL: 'C.UTF-8' } };
}
