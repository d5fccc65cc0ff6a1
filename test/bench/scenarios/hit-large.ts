import { Figures } from '../figures.ts';
import type { Scenario, Stage } from '../stage.ts';
import { layDown } from '../tree.ts';
import { addThroughput } from './throughput.ts';

const SIZE = 256 * 1024 ** 2;
const bars: readonly (readonly [connections: number, bar: number])[] = [
  [1, 0.7],
  [8, 0.7],
  [64, 1],
];

/** Large files that are in the cache and in memory. */
export const hitLarge: Scenario = {
  name: 'hit-large',
  about: 'a stored file of 256 MiB, again and again',
  seconds: [60, 10],
  async run(stage: Stage) {
    const tree = layDown(stage.directory, [{ path: '/distfiles/large/large.tar', size: SIZE }]);
    const servers = await stage.startServers({ tree });
    const figures = new Figures();
    const window = { warmUp: 0.3, seconds: stage.settings.quick ? 0.5 : 2 };
    await stage.rounds(async () => {
      for (const [connections, factor] of bars) {
        const line = { targets: ['/distfiles/large/large.tar'] };
        const lines = Array.from({ length: connections }, () => line);
        for (const server of servers) {
          const outcome = await stage.load(server, { lines, window, eager: true });
          const name = connections === 1 ? '1 connection' : `${connections} connections`;
          addThroughput(figures, { name, party: server.kind, outcome, per: 'GB', factor });
        }
      }
    });
    return figures;
  },
};
