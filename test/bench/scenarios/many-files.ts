import type { Line } from '../client/job.ts';
import { Figures } from '../figures.ts';
import { sizeAt } from '../sizes.ts';
import type { Scenario, Stage } from '../stage.ts';
import { layDownSparse, manyPath, type Planned } from '../tree.ts';
import { zipf } from '../zipf.ts';
import { addThroughput } from './throughput.ts';

const FILES = 20_000;
const CONNECTIONS = 16;
/** Sends the sizes to ranks all over the list: it has no factor in common with the number of files. */
const STRIDE = 7919;
/** What is larger counts as this large: the few that are would say again what hit-large says. */
const LARGEST = 4 * 1024 ** 2;

/** Many files of all sizes, asked for as packages are. */
export const manyFiles: Scenario = {
  name: 'many-files',
  about: `${FILES} stored files with the sizes of distfiles (up to 4 MiB), some asked for far more often (Zipf), over ${CONNECTIONS} connections`,
  seconds: [50, 8],
  async run(stage: Stage) {
    const servers = await stage.startServers({ tree: layDownSparse(stage.directory, mix()) });
    const figures = new Figures();
    const lines = requests(stage.settings.quick ? 1000 : 3000);
    // The first time brings the files into memory, and what the servers keep of them.
    for (const server of servers) await stage.load(server, { lines, eager: true });
    await stage.rounds(async () => {
      for (const server of servers) {
        const outcome = await stage.load(server, { lines, eager: true });
        const common = { name: '', party: server.kind, outcome, per: 'request' } as const;
        addThroughput(figures, { ...common, factor: 1.2 });
      }
    });
    return figures;
  },
};

function* mix(): Generator<Planned> {
  for (let index = 0; index < FILES; index += 1) {
    const share = (((index * STRIDE) % FILES) + 0.5) / FILES;
    yield { path: manyPath(index), size: Math.min(sizeAt(share), LARGEST) };
  }
}

/** The same for every server and round, so that all do the same work. */
function requests(count: number): readonly Line[] {
  const draw = zipf(FILES);
  const targets = Array.from({ length: count }, () => manyPath(draw()));
  return Array.from({ length: CONNECTIONS }, (_, line) => ({
    targets: targets.filter((_, index) => index % CONNECTIONS === line),
  }));
}
