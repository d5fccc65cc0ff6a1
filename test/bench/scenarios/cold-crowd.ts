import type { Answer } from '../client/job.ts';
import { Figures, type Measure, type Party, worst } from '../figures.ts';
import { cpuOf } from '../measure.ts';
import type { Server } from '../server.ts';
import { coldTarget, type Source } from '../source.ts';
import { forget, type Scenario, type Stage, settled } from '../stage.ts';

const CLIENTS = 50;
const RATE = 100e6;
const name = '';
const base = 'direct';

/** A new release, and all machines update at once. */
export const coldCrowd: Scenario = {
  name: 'cold-crowd',
  about: `${CLIENTS} clients ask at once for a file that has to be fetched, from a source of 100 MB/s`,
  seconds: [45, 10],
  async run(stage: Stage) {
    const { source, servers } = await stage.startCold();
    const figures = new Figures();
    await stage.rounds(async () => {
      for (const server of servers) await crowd({ stage, figures, source, server });
      await direct({ stage, figures, source });
      for (const server of servers) forget(server);
    });
    return figures;
  },
};

interface Turn {
  readonly stage: Stage;
  readonly figures: Figures;
  readonly source: Source;
}

const upstream = { name, what: 'requests upstream', unit: '', bar: { plus: 1 } };
const last: Measure = {
  name,
  what: 'last client done',
  unit: 'ms',
  base,
  bar: { against: 'base', factor: 1.1 },
};
const first = { name, what: 'worst first byte', unit: 'ms', base, bar: { plus: 20 } };
const cost = { name, what: 'server CPU', unit: 's/GB' };

async function direct({ stage, figures, source }: Turn): Promise<void> {
  const { answers } = await stage.load(source, { lines: [{ targets: [target(stage)] }] });
  addTimes(figures, 'base', answers);
}

async function crowd(turn: Turn & { readonly server: Server }): Promise<void> {
  const { stage, figures, source, server } = turn;
  const line = { targets: [target(stage)] };
  const lines = Array.from({ length: CLIENTS }, () => line);
  const asked = await source.requests();
  const before = cpuOf(server.pids());
  const { answers, bytes } = await stage.load(server, { lines });
  await settled(server);
  figures.add(upstream, server.kind, (await source.requests()) - asked);
  addTimes(figures, server.kind, answers);
  figures.add(cost, server.kind, (cpuOf(server.pids()) - before) / (bytes / 1e9));
}

function addTimes(figures: Figures, party: Party, answers: readonly Answer[]): void {
  figures.add(last, party, worst(answers.map(({ whole }) => whole)));
  figures.add(first, party, worst(answers.map(({ firstByte }) => firstByte)));
}

function target({ settings }: Stage): string {
  return coldTarget(settings.quick ? RATE / 2 : RATE, RATE);
}
