import { rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { now } from '../client/job.ts';
import { Figures, worst } from '../figures.ts';
import { cpuOf } from '../measure.ts';
import { type Scenario, type Stage, settled, untilUp } from '../stage.ts';
import { layDown, manyPath, manyTiny } from '../tree.ts';

const ctl = fileURLToPath(new URL('../../../build/package-cache-ctl.js', import.meta.url));
const OLD = new Date('2020-01-01T00:00:00Z');
const name = '';
const base = 'find -delete';
/** Milliseconds from one request to the next. */
const PAUSE = 10;
const kept = '/distfiles/kept/kept.tar';

/** Removing what has not been used for long, while clients are served. */
export const cull: Scenario = {
  name: 'cull',
  about: 'a quarter of the many files are removed by age, and a client asks all the time',
  seconds: [60, 8],
  async run(stage: Stage) {
    const count = Math.ceil(stage.settings.files / 4);
    const figures = new Figures();
    await stage.rounds(async (round) => {
      await byDaemon({ stage, figures, tree: layOld(stage, count), round });
      await byFind({ stage, figures, tree: layOld(stage, count) });
    });
    return figures;
  },
};

interface Turn {
  readonly stage: Stage;
  readonly figures: Figures;
  readonly tree: string;
}

const time = { name, what: 'until all are gone', unit: 'ms', base };
const cost = { name, what: 'server CPU', unit: 'ms' };
const wait = { name, what: 'worst first byte meanwhile', unit: 'ms' };

async function byDaemon(turn: Turn & { readonly round: number }): Promise<void> {
  const { stage, figures, tree, round } = turn;
  const server = await stage.launch('ours', { tree, name: `ours-${round}` });
  await untilUp(server);
  await settled(server);
  const requests = Array.from({ length: 600 }, (_, index) => ({
    targets: [kept],
    after: index * PAUSE,
  }));
  const before = cpuOf(server.pids());
  const meanwhile = stage.load(server, { lines: requests });
  const began = now();
  const options = ['--socket', server.controlSocket ?? '', '--older-than', '1d'];
  await stage.run([process.execPath, ctl, 'cull', ...options]);
  const end = now();
  figures.add(time, 'ours', end - began);
  figures.add(cost, 'ours', (cpuOf(server.pids()) - before) * 1000);
  const { answers } = await meanwhile;
  const during = answers.filter(({ at, firstByte }) => at - firstByte < end);
  figures.add(wait, 'ours', worst(during.map(({ firstByte }) => firstByte)));
  await server.program.stop();
  rmSync(tree, { recursive: true });
}

async function byFind({ stage, figures, tree }: Turn): Promise<void> {
  const began = now();
  await stage.run(['find', tree, '-type', 'f', '-atime', '+1', '-delete']);
  figures.add(time, 'base', now() - began);
  rmSync(tree, { recursive: true });
}

/** Files that nobody has used for years, and one that is in use. */
function layOld(stage: Stage, count: number): string {
  const tree = layDown(stage.directory, [...manyTiny(count), { path: kept, size: 4096 }]);
  for (let index = 0; index < count; index += 1) {
    utimesSync(join(tree, manyPath(index)), OLD, OLD);
  }
  return tree;
}
