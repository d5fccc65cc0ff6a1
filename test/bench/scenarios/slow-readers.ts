import { Figures } from '../figures.ts';
import type { Scenario, Stage } from '../stage.ts';
import { layDown } from '../tree.ts';

const READERS = 500;
const RATE = 50e3;
/** What Ethernet carries: with loopback's 64 KiB the kernel's buffers would take all at once. */
const SEGMENT = 1448;
const path = '/distfiles/slow/slow.tar';
const name = '';

/** A crowd behind slow lines. */
export const slowReaders: Scenario = {
  name: 'slow-readers',
  about: `${READERS} clients read a stored file at 50 kB/s each`,
  seconds: [50, 10],
  async run(stage: Stage) {
    const tree = layDown(stage.directory, [{ path, size: 64 * 1024 ** 2 }]);
    const servers = await stage.startServers({ tree });
    const figures = new Figures();
    const seconds = stage.settings.quick ? 4 : 10;
    // Evenly through a second, or all would read at the same moments for ever.
    const lines = Array.from({ length: READERS }, (_, index) => ({
      targets: [path],
      after: (index * 1000) / READERS,
    }));
    await stage.rounds(async () => {
      for (const server of servers) {
        const window = { warmUp: 2, seconds };
        const job = { lines, window, rate: RATE, segment: SEGMENT };
        const outcome = await stage.load(server, job);
        const percent = (outcome.serverCpu / outcome.seconds) * 100;
        const megabytes = outcome.peak / 1e6;
        const rate = outcome.bytes / outcome.seconds / 1e6;
        const cpu = { name, what: 'of one processor', unit: '%', bar: { plus: 3 } };
        const memory = { name, what: 'peak memory', unit: 'MB', bar: { plus: 100 } };
        figures.add(cpu, server.kind, percent);
        figures.add(memory, server.kind, megabytes);
        figures.add({ name, what: 'throughput', unit: 'MB/s' }, server.kind, rate);
      }
    });
    return figures;
  },
};
