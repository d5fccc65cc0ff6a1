import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createLayout, type Layout } from '../../daemon/cache/layout.ts';
import { DAY } from '../../daemon/room/histogram.ts';
import { createHousekeeping } from '../../daemon/room/housekeeping.ts';
import { filesBelow } from '../helpers/entries.ts';
import { tempDir } from '../helpers/files.ts';

const folders = 256;

/** So many small entries, spread as a Gentoo mirror spreads them. */
async function bigCache(t: ExecutionContext, count: number): Promise<Layout> {
  const root = await tempDir(t);
  for (let folder = 0; folder < folders; folder += 1) {
    mkdirSync(join(root, `distfiles/${folder.toString(16)}`), { recursive: true });
  }
  for (let index = 0; index < count; index += 1) {
    const folder = (index % folders).toString(16);
    writeFileSync(join(root, `distfiles/${folder}/package-${index}-1.0.tar.gz`), 'x');
  }
  return createLayout(root);
}

test('200,000 entries are counted and half of them culled, and the times are told', async (t) => {
  const count = 200_000;
  const layout = await bigCache(t, count);
  const housekeeping = createHousekeeping(layout);
  t.teardown(() => housekeeping.close());
  const counted = await timed(() => housekeeping.walk());
  t.is(
    counted.result.rows.reduce((sum, [, entries]) => sum + entries, 0),
    count,
  );
  t.log(`walked in ${counted.seconds.toFixed(2)} s`);
  const found = await timed(async () => {
    // By age, as an admin would without us: it has to look at each file's times, too.
    const half = ['-name', '*[02468]-1.0.tar.gz', '-atime', '-1', '-delete'];
    execFileSync('find', [join(layout.root, 'distfiles'), ...half]);
  });
  const culled = await timed(() => housekeeping.cull({ usedBefore: Date.now() + DAY }));
  t.is(culled.result.entries, count / 2);
  t.log(`find: ${found.seconds.toFixed(2)} s, cull: ${culled.seconds.toFixed(2)} s, for half each`);
  t.deepEqual(await filesBelow(layout.root), []);
});

test('what is served while a cull runs stays', async (t) => {
  const layout = await bigCache(t, 20_000);
  const housekeeping = createHousekeeping(layout);
  t.teardown(() => housekeeping.close());
  const files = await filesBelow(layout.root);
  const old = Date.now() / 1000 - 100 * 86_400;
  await Promise.all(files.map((file, index) => utimes(join(layout.root, file), old + index, 1)));
  const served: string[] = [];
  const serving = { on: true };
  const serve = async () => {
    // From the one that goes last to the one that goes first, towards the cull.
    for (const file of files.toReversed()) {
      if (!serving.on) return;
      const set = await utimes(join(layout.root, file), Date.now() / 1000, 1).then(
        () => true,
        () => false,
      );
      if (set) served.push(file);
    }
  };
  const both = serve();
  const summary = await housekeeping.cull({ usedBefore: Date.now() - 50 * DAY });
  serving.on = false;
  await both;
  const left = new Set(await filesBelow(layout.root));
  t.log(`${summary.entries} culled, ${served.length} served, ${summary.kept} of them noticed late`);
  t.true(summary.entries > 0 && served.length > 0 && summary.kept > 0);
  // Between the last look and the removal there is a moment in which one may slip through.
  t.true(served.filter((file) => !left.has(file)).length <= 2);
  t.is(left.size, files.length - summary.entries);
});

interface Timed<Result> {
  readonly result: Result;
  readonly seconds: number;
}

async function timed<Result>(work: () => Promise<Result>): Promise<Timed<Result>> {
  const start = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - start) / 1000 };
}
