import type { Answer } from '../client/job.ts';
import { type Bar, Figures, median, type Party } from '../figures.ts';
import { cpuOf } from '../measure.ts';
import type { Server } from '../server.ts';
import { coldTarget, type Source } from '../source.ts';
import { forget, type Scenario, type Stage, settled } from '../stage.ts';

const LARGE = 256 * 1024 ** 2;
const LARGE_QUICK = 64 * 1024 ** 2;
const SMALL = 1024 ** 2;
const RATE = 100e6;
const base = 'direct';

/** One client and a file that is not in the cache. */
export const coldSingle: Scenario = {
  name: 'cold-single',
  about: 'one client, and a file that has to be fetched',
  seconds: [70, 12],
  async run(stage: Stage) {
    const { source, servers } = await stage.startCold();
    const figures = new Figures();
    await stage.rounds(async () => {
      for (const server of [...servers, source]) {
        await asFastAsItGoes({ stage, figures, server });
        await fromSlowSource({ stage, figures, server });
        await manySmall({ stage, figures, server });
      }
      for (const server of servers) forget(server);
    });
    return figures;
  },
};

interface Turn {
  readonly stage: Stage;
  readonly figures: Figures;
  readonly server: Server | Source;
}

async function asFastAsItGoes({ stage, figures, server }: Turn): Promise<void> {
  const size = sizeIn(stage);
  const name = `${size / 1024 ** 2} MiB, source unthrottled`;
  const before = cpuOf(server.pids());
  const { answers } = await stage.load(server, { lines: [{ targets: [coldTarget(size)] }] });
  await settled(server);
  if (server.kind !== 'base') {
    const bar = { against: 'nginx', factor: 1.5 } as const;
    const value = (cpuOf(server.pids()) - before) / (size / 1e9);
    figures.add({ name, what: 'server CPU', unit: 's/GB', bar }, server.kind, value);
  }
  addTimes(figures, { name, party: server.kind, answers });
}

async function fromSlowSource({ stage, figures, server }: Turn): Promise<void> {
  const name = 'source of 100 MB/s';
  const targets = [coldTarget(sizeIn(stage) / 2, RATE)];
  const { answers } = await stage.load(server, { lines: [{ targets }] });
  await settled(server);
  const whole: Bar = { against: 'base', factor: 1 };
  addTimes(figures, { name, party: server.kind, answers, whole });
}

function sizeIn({ settings }: Stage): number {
  return settings.quick ? LARGE_QUICK : LARGE;
}

async function manySmall({ stage, figures, server }: Turn): Promise<void> {
  const name = '1 MiB, source unthrottled';
  const targets = Array.from({ length: 20 }, () => coldTarget(SMALL));
  const { answers } = await stage.load(server, { lines: [{ targets }] });
  await settled(server);
  const firstByte: Bar = { against: 'base', plus: 2 };
  addTimes(figures, { name, party: server.kind, answers, firstByte });
}

interface Times {
  readonly name: string;
  readonly party: Party;
  readonly answers: readonly Answer[];
  readonly whole?: Bar;
  readonly firstByte?: Bar;
}

function addTimes(figures: Figures, { name, party, answers, whole, firstByte }: Times): void {
  const common = { name, unit: 'ms', base };
  const middle = (values: readonly number[]) => median(values) ?? Number.NaN;
  figures.add(
    { ...common, what: 'last byte', ...(whole && { bar: whole }) },
    party,
    middle(answers.map((answer) => answer.whole)),
  );
  figures.add(
    { ...common, what: 'first byte', ...(firstByte && { bar: firstByte }) },
    party,
    middle(answers.map((answer) => answer.firstByte)),
  );
}
