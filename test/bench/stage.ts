import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Job, Outcome } from './client/job.ts';
import type { Figure } from './figures.ts';
import { type Client, startClient } from './load.ts';
import { cpuOf } from './measure.ts';
import { startNginx } from './nginx.ts';
import { startOurs } from './ours.ts';
import type { Processes, Processors } from './processes.ts';
import { accepts, type Server, type ServerOptions } from './server.ts';
import { type Source, startSource } from './source.ts';

/** One subject of the bench. */
export interface Scenario {
  readonly name: string;
  /** One line: what is done. */
  readonly about: string;
  /** Seconds after which it begins no further round, in a whole run and in a quick one. */
  readonly seconds: readonly [whole: number, quick: number];
  run(stage: Stage): Promise<readonly Figure[]>;
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

  /** Starts ours and then nginx, if it takes part, and waits until they answer. */
  async startServers(
    options: Pick<ServerOptions, 'tree' | 'source'> = {},
  ): Promise<readonly Server[]> {
    const { processes, processors, settings } = this.#options;
    const servers: Server[] = [];
    for (const start of [startOurs, ...(settings.nginx ? [startNginx] : [])]) {
      const directory = join(this.directory, start.name);
      mkdirSync(directory, { recursive: true });
      const common = { ...options, processes, processor: processors.server };
      servers.push(await start({ ...common, directory }));
    }
    for (const server of servers) await untilUp(server);
    return servers;
  }

  /** Starts a source. */
  startSource(): Promise<Source> {
    const { processes, processors } = this.#options;
    return startSource(processes, processors.load);
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

  /** Lets the client work on a server, or on a source directly. */
  load(
    server: Pick<Server, 'port' | 'pids'>,
    job: Omit<Job, 'port' | 'servers'>,
  ): Promise<Outcome> {
    return this.client.perform({ ...job, port: server.port, servers: server.pids() });
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

/** Until a port accepts connections. */
async function untilUp({ name, port, program }: Server): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await accepts(port)) return;
    if (program.child.exitCode !== null) break;
    await pause(20);
  }
  throw new Error(`Cannot start ${name}: it does not listen\n${program.output()}`);
}
