import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { bodyOf } from '../helpers/origin.ts';
import { run } from '../helpers/process.ts';
import { needs } from '../helpers/programs.ts';
import { curl, type Fetcher, startScene, wget } from './fetchers.ts';

const names = [
  'libsigc++-2.12.1.tar.gz',
  'odd~rc1.tar.gz',
  '100%.tar.gz',
  'npm-@scope,[x]{y}.tgz',
  'a(b).tar.gz',
  'bang!.tar.gz',
  'cash$1.tar.gz',
  'this&that.tar.gz',
  "it's.tar.gz",
  'key=value.tar.gz',
  'two words.tar.gz',
  'größe-żółw-🦀.tar.gz',
  'github.com%2F!burnt!sushi%2Ftoml%2F@v%2Fv0.3.1.mod',
];

const fetchers: [program: string, fetcher: Fetcher][] = [
  ['wget', wget],
  ['curl', curl],
];

for (const [program, fetcher] of fetchers) {
  test.serial(
    `${program} gets odd names in Portage's spelling and in its own, each as one file`,
    async (t) => {
      if (!needs(t, program)) return;
      const { origin, daemon, fetch } = await startScene(t, {});
      for (const name of names) {
        const body = bodyOf(name, 5000);
        const wire = `distfiles/8c/${asPortageQuotes(name)}`;
        origin.serve(wire, body);
        for (const path of [wire, `distfiles/8c/${asPeopleType(name)}`]) {
          const { bytes, stderr } = await fetch(fetcher, path);
          t.true(bytes?.equals(body), `${path}: ${stderr}`);
        }
      }
      await daemon.stop();
      for (const name of names) {
        const stored = await readFile(join(daemon.cacheDir, 'distfiles/8c', name));
        t.true(stored.equals(bodyOf(name, 5000)), name);
      }
      const asked = origin.requests.map(({ target }) => target);
      t.deepEqual(
        asked,
        names.map((name) => `/distfiles/8c/${asPortageQuotes(name)}`),
      );
    },
  );
}

test.serial(
  'wget in the C locale asks for %2F in place of %252F first and still gets its file',
  async (t) => {
    if (!needs(t, 'wget')) return;
    const path = 'distfiles/8c/github.com%252Fa%2540v.mod';
    const { origin, daemon, directory } = await startScene(t, { [path]: 'module a' });
    const { args } = wget({
      url: `${daemon.url}${path}`,
      file: join(directory, 'got'),
      resume: false,
    });
    const { code, stderr } = await run('wget', { args, cwd: directory, env: { LC_ALL: 'C' } });
    t.is(code, 0, stderr);
    t.is(await readFile(join(directory, 'got'), 'utf8'), 'module a');
    const asked = origin.requests.map(({ target }) => target);
    t.deepEqual(asked, [`/${path}`]);
  },
);

/** urllib's quote(): everything but letters, digits and `_.-~/`. */
function asPortageQuotes(name: string): string {
  return encodeURIComponent(name).replace(/[!'()*]/g, percent);
}

/** What must be quoted and nothing else. */
function asPeopleType(name: string): string {
  return encodeURIComponent(name).replace(/%(?:2B|40|2C|24|26|3D)/g, decodeURIComponent);
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
