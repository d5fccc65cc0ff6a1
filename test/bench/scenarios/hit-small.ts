import { Figures } from '../figures.ts';
import type { Scenario, Stage } from '../stage.ts';
import { layDown } from '../tree.ts';
import { addThroughput } from './throughput.ts';

const CONNECTIONS = 16;
const cases: readonly (readonly [name: string, size: number, bar: number])[] = [
  ['4 KiB', 4 * 1024, 1.1],
  ['300 KiB', 300 * 1024, 1.2],
];

/** Small files that are in the cache and in memory, over connections that are kept. */
export const hitSmall: Scenario = {
  name: 'hit-small',
  about: `a small stored file, again and again over ${CONNECTIONS} connections that are kept`,
  seconds: [45, 6],
  async run(stage: Stage) {
    const files = cases.map(([, size]) => ({ path: `/distfiles/small/${size}.tar`, size }));
    const servers = await stage.startServers({ tree: layDown(stage.directory, files) });
    const figures = new Figures();
    const window = { warmUp: 0.5, seconds: stage.settings.quick ? 0.5 : 2 };
    await stage.rounds(async () => {
      for (const [name, size, factor] of cases) {
        const line = { targets: [`/distfiles/small/${size}.tar`] };
        const lines = Array.from({ length: CONNECTIONS }, () => line);
        for (const server of servers) {
          const outcome = await stage.load(server, { lines, window, eager: true });
          addThroughput(figures, { name, party: server.kind, outcome, per: 'request', factor });
        }
      }
    });
    return figures;
  },
};
