import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { writeTree } from '../helpers/files.ts';
import { bodyOf } from '../helpers/origin.ts';
import { run } from '../helpers/process.ts';
import { needs } from '../helpers/programs.ts';
import { clientEnvironment, startScene } from './fetchers.ts';
import { must } from './mirror.ts';

/** Metadata of two hundred packages, some of which are of a later version. */
function metadata(changed: readonly number[]): string {
  const packages = Array.from({ length: 200 }, (_, at) => {
    const version = changed.includes(at) ? '2.0' : '1.0';
    return `<package>${at} ${version} ${bodyOf(`${at}-${version}`, 500).toString('hex')}</package>\n`;
  });
  return packages.join('');
}

test.serial('zckdl gets the chunks that it lacks in one request, cold and warm', async (t) => {
  if (!needs(t, 'zck', 'zckdl')) return;
  const scene = await startScene(t, {});
  const { origin, daemon, directory } = scene;
  const environment = clientEnvironment(directory);
  await writeTree(directory, { old: metadata([]), new: metadata([20, 21, 90, 150]) });
  for (const text of ['old', 'new']) {
    const args = ['--manual-chunk', '--split=<package>', `--output=${text}.zck`, text];
    await must('zck', args, environment);
  }
  const body = await readFile(join(directory, 'new.zck'));
  const path = 'repodata/0123abcd-primary.xml.zck';
  origin.serve(path, body);
  for (const state of ['cold', 'warm']) {
    const args = ['--fail-no-ranges', '--source=old.zck', `${daemon.url}${path}`];
    const { code, stdout, stderr } = await run('zckdl', { args, ...environment });
    t.is(code, 0, `${state}: ${stdout}${stderr}`);
    const got = join(directory, '0123abcd-primary.xml.zck');
    t.true((await readFile(got)).equals(body), state);
    await rename(got, `${got}.${state}`);
  }
  // Of each download the first bytes, the list of chunks, and all that is new together.
  const sizes = (await scene.answers()).map((line) => Number(/ 206 (\d+) /.exec(line)?.[1]));
  t.is(sizes.length, 6);
  t.true(sizes.every((size) => size < body.length / 10));
  t.is(origin.count(path), 1);
});
