import { Figures } from '../figures.ts';
import type { Scenario, Stage } from '../stage.ts';
import { layDown, manyPath, manyTiny } from '../tree.ts';

const name = '';

/** A start with a full cache: nothing may walk the tree before it serves. */
export const start: Scenario = {
  name: 'start',
  about: 'from exec to the last byte of the first hit, with many files in the cache (--files)',
  seconds: [40, 5],
  async run(stage: Stage) {
    const { files } = stage.settings;
    const tree = layDown(stage.directory, manyTiny(files));
    const figures = new Figures();
    await stage.rounds(async (round) => {
      for (const kind of stage.kinds) {
        const server = await stage.launch(kind, { tree, name: `${kind}-${round}` });
        const job = {
          lines: [{ targets: [manyPath(files - 1)] }],
          patience: 10,
        };
        const { answers } = await stage.client.perform({ ...job, port: server.port, servers: [] });
        const at = answers[0]?.at ?? Number.NaN;
        figures.add(
          { name, what: 'first hit served', unit: 'ms', bar: { plus: 200 } },
          server.kind,
          at - server.program.began,
        );
        await server.program.stop();
      }
    });
    return figures;
  },
};
