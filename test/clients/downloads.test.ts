import { join } from 'node:path';
import test from 'ava';
import { bodyOf, gate } from '../helpers/origin.ts';
import { needs } from '../helpers/programs.ts';
import {
  aria2,
  clientEnvironment,
  curl,
  type Fetcher,
  startScene,
  wget,
  wget2,
} from './fetchers.ts';
import { interrupt } from './mirror.ts';

const body = bodyOf('distfile', 3 * 1024 ** 2 + 17);
const path = 'distfiles/3c/which-2.23.tar.gz';

const fetchers: [program: string, fetcher: Fetcher][] = [
  ['wget', wget],
  ['wget2', wget2],
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
    const { code, bytes = '' } = await fetch(fetcher, 'distfiles/3c/never-seen-1.tar.gz');
    // wget2 calls that a success, with an empty file.
    t.true(program === 'wget2' ? bytes.length === 0 : code !== 0);
  });

  test.serial(
    `${program} stopped in the middle resumes what the daemon went on with`,
    async (t) => {
      if (!needs(t, program)) return;
      const held = gate();
      const { origin, daemon, directory, fetch, answers } = await startScene(t, {
        [path]: { body, chunks: { gate: held, after: 2 * 1024 ** 2 } },
      });
      const file = join(directory, 'interrupted');
      const { args } = fetcher({ url: `${daemon.url}${path}`, file, resume: false });
      const part = {
        below: directory,
        name: /interrupted$/,
        bytes: 1024 ** 2,
        signal: 'SIGTERM' as const,
      };
      await interrupt(program, { args, ...clientEnvironment(directory), ...part });
      held.open();
      const { code, bytes, stderr } = await fetch(fetcher, path, { resume: file });
      t.is(code, 0, stderr);
      t.true(bytes?.equals(body));
      t.is(origin.count(path), 1);
      // wget2 begins anew when it is told where to put its file.
      const resumed = (await answers()).slice(1).some((line) => / 206 /.test(line));
      t.true(resumed || program === 'wget2');
    },
  );

  test.serial(`${program} gets an index that has changed, with the source down too`, async (t) => {
    if (!needs(t, program)) return;
    const name = 'releases/latest-stage3.txt';
    const { origin, daemon, fetch } = await startScene(t, {}, () => ({ MUTABLE_TTL: '0s' }));
    for (const [at, text] of ['of yesterday', 'of today'].entries()) {
      origin.serve(name, { body: text, lastModified: new Date(Date.UTC(2026, 0, at + 1)) });
      t.is(String((await fetch(fetcher, name)).bytes), text);
      await daemon.logged(new RegExp(`stored .*${text.length} bytes`));
    }
    await origin.stop();
    t.is(String((await fetch(fetcher, name)).bytes), 'of today');
  });

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
