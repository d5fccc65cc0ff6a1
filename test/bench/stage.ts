import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Job, Outcome } from './client/job.ts';
import type { Figures } from './figures.ts';
import { type Client, startClient } from './load.ts';
import { cpuOf, peakOf, resetPeak } from './measure.ts';
import { startNginx } from './nginx.ts';
import { startOurs } from './ours.ts';
import type { Processes, Processors, Start } from './processes.ts';
import { answers, type Kind, type Server, type ServerOptions } from './server.ts';
import { coldTarget, type Source, startSource } from './source.ts';

/** One subject of the bench. */
export interface Scenario {
  readonly name: string;
  /** One line: what is done. */
  readonly about: string;
  /** Seconds after which it begins no further round, in a whole run and in a quick one. */
  readonly seconds: readonly [whole: number, quick: number];
  run(stage: Stage): Promise<Figures>;
}

/** What a run is asked for. */
export interface Settings {
  readonly quick: boolean;
  /** Rounds of each scenario at most; each measures all parties in turn. */
  readonly rounds: number;
  /** Files in the cache of the scenarios with many. */
  readonly files: number;
  /** Whether to measure nginx too. */
  readonly nginx: boolean;
}

/** Bytes a second: of the source's two ways to send, the throttled one is to be warm, too. */
const WARM_UP_RATE = 100e6;

/** What a stage is made of. */
export interface StageOptions {
  readonly settings: Settings;
  readonly processes: Processes;
  readonly processors: Processors;
  /** Removed after the scenario. */
  readonly directory: string;
  /** Seconds. */
  readonly time: number;
}

/** What a scenario says of the servers it wants. */
export interface Launch extends Pick<ServerOptions, 'tree' | 'source'> {
  /** Of its directory, where there are several of a kind. */
  readonly name?: string;
}

/** Where a scenario runs: its directory, its programs and its time. */
export class Stage {
  readonly settings: Settings;
  readonly directory: string;
  readonly client: Client;
  readonly #options: StageOptions;
  readonly #began = performance.now();

  constructor(options: StageOptions) {
    this.#options = options;
    this.settings = options.settings;
    this.directory = options.directory;
    this.client = startClient(options.processes, options.processors.load);
  }

  /** The servers that take part. */
  get kinds(): readonly Kind[] {
    return this.settings.nginx ? ['ours', 'nginx'] : ['ours'];
  }

  /** Starts a server, in a directory of its own. */
  launch(kind: Kind, { name = kind, ...options }: Launch = {}): Promise<Server> {
    const { processes, processors } = this.#options;
    const directory = join(this.directory, name);
    mkdirSync(directory);
    const start = { ours: startOurs, nginx: startNginx }[kind];
    return start({ ...options, directory, processes, processor: processors.server });
  }

  /** Starts all servers and waits until they answer. */
  async startServers(options: Launch = {}): Promise<readonly Server[]> {
    const servers: Server[] = [];
    for (const kind of this.kinds) servers.push(await this.launch(kind, options));
    for (const server of servers) await untilUp(server);
    return servers;
  }

  /** Starts a source, and all servers with that source alone. */
  async startCold(): Promise<{ readonly source: Source; readonly servers: readonly Server[] }> {
    const { processes, processors } = this.#options;
    const source = await startSource(processes, processors.load);
    const servers = await this.startServers({ source: source.url });
    // What was started once and runs for weeks is not measured at its first steps.
    for (const server of [source, ...servers]) {
      for (const rate of [0, WARM_UP_RATE]) {
        const targets = Array.from({ length: 50 }, () => coldTarget(64 * 1024, rate));
        await this.load(server, { lines: [{ targets }] });
      }
    }
    return { source, servers };
  }

  /** Runs a program to its end, out of the servers' way. @throws Error when it fails. */
  async run(command: Start['command']): Promise<void> {
    const { processes, processors } = this.#options;
    const program = processes.start({ command, processor: processors.load });
    const code = await program.gone;
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}\n${program.output()}`);
  }

  /** Calls for one round after the other while there is time, at least for one. */
  async rounds(play: (round: number) => Promise<void>): Promise<void> {
    const { settings, time } = this.#options;
    const elapsed = () => (performance.now() - this.#began) / 1000;
    const first = elapsed();
    for (let round = 0; round < settings.rounds; round += 1) {
      const longest = round === 0 ? 0 : (elapsed() - first) / round;
      if (round > 0 && elapsed() + longest > time) return;
      await play(round);
    }
  }

  /** Lets the client work on a server, or on a source directly; the peak of memory is in bytes. */
  async load(
    server: Pick<Server, 'port' | 'pids'>,
    job: Omit<Job, 'port' | 'servers'>,
  ): Promise<Outcome & { readonly peak: number }> {
    const { port } = server;
    const servers = server.pids();
    resetPeak(servers);
    const outcome = await this.client.perform({ ...job, port, servers });
    return { ...outcome, peak: peakOf(servers) };
  }
}

/** Until a server does nothing more: it may store, after the client has all. */
export async function settled(server: Pick<Server, 'pids'>): Promise<void> {
  for (let tries = 0, before = -1; tries < 50; tries += 1) {
    const now = cpuOf(server.pids());
    if (now - before < 0.001) return;
    before = now;
    await pause(100);
  }
}

/** Makes a server forget what it has fetched; its own records stay. */
export function forget({ cache }: Server): void {
  for (const name of readdirSync(cache)) {
    if (!name.startsWith('.')) rmSync(join(cache, name), { recursive: true });
  }
}

/** Until a server answers. */
export async function untilUp({ kind, port, program }: Server): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await answers(port)) return;
    if (program.child.exitCode !== null) break;
    await pause(50);
  }
  throw new Error(`Cannot start ${kind}: it does not answer\n${program.output()}`);
}
