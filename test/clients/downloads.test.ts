import { join } from 'node:path';
import test from 'ava';
import { bodyOf, gate } from '../helpers/origin.ts';
import { launch } from '../helpers/process.ts';
import { needs } from '../helpers/programs.ts';
import { aria2, clientEnvironment, curl, type Fetcher, startScene, wget } from './fetchers.ts';

const body = bodyOf('distfile', 3 * 1024 ** 2 + 17);
const path = 'distfiles/3c/which-2.23.tar.gz';

const fetchers: [program: string, fetcher: Fetcher][] = [
  ['wget', wget],
  ['curl', curl],
  ['aria2c', aria2],
];

for (const [program, fetcher] of fetchers) {
  test.serial(`${program} gets every byte cold, warm and with the source down`, async (t) => {
    if (!needs(t, program)) return;
    const { origin, fetch } = await startScene(t, { [path]: body });
    for (const state of ['cold', 'warm']) {
      const { code, bytes, stderr } = await fetch(fetcher, path);
      t.is(code, 0, `${state}: ${stderr}`);
      t.true(bytes?.equals(body), state);
    }
    t.is(origin.count(path), 1);
    await origin.stop();
    t.true((await fetch(fetcher, path)).bytes?.equals(body));
    t.not((await fetch(fetcher, 'distfiles/3c/never-seen-1.tar.gz')).code, 0);
  });

  test.serial(
    `${program} stopped in the middle resumes what the daemon went on with`,
    async (t) => {
      if (!needs(t, program)) return;
      const held = gate();
      const { origin, daemon, directory, fetch } = await startScene(t, {
        [path]: { body, chunks: { gate: held, after: 1024 ** 2 } },
      });
      const file = join(directory, 'interrupted');
      const { args } = fetcher({ url: `${daemon.url}${path}`, file, resume: false });
      const environment = clientEnvironment(directory);
      const client = launch(program, { args, ...environment, onLine: () => {} });
      await held.reached;
      client.signal('SIGTERM');
      await client.exitWithin(10_000);
      held.open();
      const { code, bytes, stderr } = await fetch(fetcher, path, { resume: file });
      t.is(code, 0, stderr);
      t.true(bytes?.equals(body));
      t.is(origin.count(path), 1);
    },
  );

  test.serial(
    `${program} does not notice that the source broke off and was asked again`,
    async (t) => {
      if (!needs(t, program)) return;
      const { origin, fetch } = await startScene(t, {
        [path]: (_request, time) => (time === 1 ? { body, cutAfter: 1_000_000 } : { body }),
      });
      const { code, bytes, stderr } = await fetch(fetcher, path);
      t.is(code, 0, stderr);
      t.true(bytes?.equals(body));
      t.regex(origin.requests[1]?.headerOf('range') ?? '', /^bytes=\d+-/);
      t.is(origin.count(path), 2);
    },
  );
}
