import type { Job } from '../client/job.ts';
import { Figures } from '../figures.ts';
import type { Scenario, Stage } from '../stage.ts';
import { layDown } from '../tree.ts';
import { addThroughput } from './throughput.ts';

const CONNECTIONS = 16;
const cases: readonly (readonly [name: string, size: number, bar: number])[] = [
  ['4 KiB', 4 * 1024, 1.1],
  ['300 KiB', 300 * 1024, 1.2],
];

type Window = NonNullable<Job['window']>;

/** Small files that are in the cache and in memory, over connections that are kept. */
export const hitSmall: Scenario = {
  name: 'hit-small',
  about: `a small stored file, again and again over ${CONNECTIONS} connections that are kept`,
  seconds: [45, 6],
  async run(stage: Stage) {
    const files = cases.map(([, size]) => ({ path: pathOf(size), size }));
    const servers = await stage.startServers({ tree: layDown(stage.directory, files) });
    const figures = new Figures();
    const { quick } = stage.settings;
    const job = (size: number, window: Window) => {
      const line = { targets: [pathOf(size)] };
      return { lines: Array.from({ length: CONNECTIONS }, () => line), window, eager: true };
    };
    // Long enough for a compiler that works at run time to be done.
    for (const server of servers) {
      for (const [, size] of cases) {
        await stage.load(server, job(size, { warmUp: 0, seconds: quick ? 0.5 : 3 }));
      }
    }
    await stage.rounds(async () => {
      for (const [name, size, factor] of cases) {
        for (const server of servers) {
          const window = { warmUp: 0.5, seconds: quick ? 0.5 : 2 };
          const outcome = await stage.load(server, job(size, window));
          addThroughput(figures, { name, party: server.kind, outcome, per: 'request', factor });
        }
      }
    });
    return figures;
  },
};

function pathOf(size: number): string {
  return `/distfiles/small/${size}.tar`;
}
