import { Figures, median, worst } from '../figures.ts';
import { coldTarget } from '../source.ts';
import { forget, type Scenario, type Stage, settled } from '../stage.ts';

const RATE = 100e6;
const JOINERS = 8;
const name = '';
const base = 'direct';

/** Clients that come while the file is on its way. */
export const lateJoiner: Scenario = {
  name: 'late-joiner',
  about: `${JOINERS} clients come one by one while a file is fetched from a source of 100 MB/s`,
  seconds: [30, 6],
  async run(stage: Stage) {
    const { source, servers } = await stage.startCold();
    const figures = new Figures();
    const seconds = stage.settings.quick ? 0.5 : 1;
    await stage.rounds(async () => {
      for (const server of [...servers, source]) {
        const targets = [coldTarget(RATE * seconds, RATE)];
        const lines = Array.from({ length: 1 + JOINERS }, (_, index) => ({
          targets,
          after: (index * seconds * 1000) / (1 + JOINERS),
        }));
        // Alone at the source: there, joiners would slow each other.
        const outcome = await stage.load(server, {
          lines: server === source ? lines.slice(0, 1) : lines,
        });
        await settled(server);
        const late = outcome.answers.filter(({ line }) => line > 0 || server === source);
        const times = late.map(({ firstByte }) => firstByte);
        const common = { name, unit: 'ms', base };
        const middle = median(times) ?? Number.NaN;
        figures.add({ ...common, what: 'first byte', bar: { plus: 2 } }, server.kind, middle);
        figures.add({ ...common, what: 'worst first byte' }, server.kind, worst(times));
      }
      for (const server of servers) forget(server);
    });
    return figures;
  },
};
