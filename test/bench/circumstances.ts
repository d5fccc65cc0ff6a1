import { spawnSync } from 'node:child_process';
import { cpus, release, tmpdir } from 'node:os';
import type { Options } from './options.ts';
import type { Processors } from './processes.ts';
import type { Circumstances } from './report.ts';

/** Where and with what a run is done, for whoever compares two of them. */
export function circumstancesOf({
  options,
  processors,
  nginx,
}: {
  readonly options: Options;
  readonly processors: Processors;
  readonly nginx: boolean;
}): Circumstances {
  const [first, ...others] = cpus();
  const { server, load } = processors;
  return {
    date: new Date().toISOString(),
    Node: process.version,
    nginx: nginx ? `${nginxVersion()}, one worker` : 'not installed',
    kernel: release(),
    processors: `${others.length + 1} of ${first?.model ?? 'unknown kind'}`,
    pinned:
      server === undefined
        ? 'nothing: that takes two processors and taskset'
        : `servers to processor ${server}, clients and the source to ${load}`,
    rounds: `at most ${options.rounds}, the figures are their medians`,
    'many files': String(options.files),
    'caches in': options.directory ?? tmpdir(),
  };
}

function nginxVersion(): string {
  const { stderr } = spawnSync('nginx', ['-v'], { encoding: 'utf8' });
  return /nginx\/(\S+)/.exec(stderr)?.[1] ?? 'of unknown version';
}
