import { readFile, writeFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { createHotStore } from '../../daemon/cache/hot.ts';
import { createMetaBook } from '../../daemon/cache/meta.ts';
import { createPolicy } from '../../daemon/cache/policy.ts';
import { CacheError } from '../../daemon/errors.ts';
import { createEvents } from '../../daemon/events.ts';
import type { DigestRows } from '../../daemon/gentoo/digest-table.ts';
import { distfilePath } from '../../daemon/gentoo/distfile.ts';
import { openBudget } from '../../daemon/room/budget.ts';
import type { ServeContext } from '../../daemon/serve/context.ts';
import { openUpkeep } from '../../daemon/serve/upkeep.ts';
import { makeCache } from '../helpers/cache.ts';
import { testClock } from '../helpers/clock.ts';
import { digestRows, type Named } from '../helpers/digests.ts';
import { filesBelow } from '../helpers/entries.ts';
import { Log } from '../helpers/log.ts';

const minute = 60_000;
const hour = 60 * minute;
const M = 1024 ** 2;

/** Two in the morning of this day, wherever the test runs: files are made when they are made. */
const evening = new Date().setHours(2, 0, 0, 0);

/** A cache of which some entries are named, and nothing can be fetched. */
async function scene(t: ExecutionContext, named: readonly Named[], entries: readonly Named[]) {
  const cache = await makeCache(t);
  const { layout, root } = cache;
  for (const { name, body } of entries) await cache.put(distfilePath(name), body);
  const clock = testClock(evening);
  const lines = new Log();
  const say = (level: string) => (line: string) => lines.add(`${level}: ${line}`);
  const log = {
    error: say('error'),
    warn: say('warn'),
    info: say('info'),
    debug: say('debug'),
    access: () => {},
    configure: async () => {},
    setLevel: () => {},
    close: async () => {},
  };
  const budget = await openBudget({ layout, limits: { minFree: { bytes: 0 } }, log, clock });
  t.teardown(() => budget.close());
  const config: { verifyNightly?: number } = {};
  let rows: DigestRows = digestRows(named);
  const nobody = () => {
    throw new CacheError('source', { verb: 'fetch', thing: 'x', reason: 'no source works' });
  };
  const serve = {
    settings: () => ({
      config: { ...config, immutable: [], mutable: [], repositories: [{ name: '', sources: [] }] },
      policy: createPolicy({ immutable: [], mutable: [] }),
    }),
    store: createHotStore(cache.store, { files: 10, bytes: 0 }),
    meta: createMetaBook(layout),
    census: budget.census,
    manifests: {
      rows: () => rows,
      ready: async () => {},
      report: () => ({ repositories: [], problem: undefined }),
    },
    fills: { get: () => undefined, forget: () => {}, join: nobody, all: () => [] },
    events: createEvents(),
    log,
    isOwn: () => true,
  } as unknown as ServeContext;
  let planned = 0;
  const open = async () => {
    const upkeep = await openUpkeep({ serve, budget, layout, clock, random: () => 0.5 });
    planned = clock.pending();
    t.teardown(() => upkeep.close());
    return upkeep;
  };
  /** Lets a day pass, until all that is done in it is done, and planned again. */
  const night = async () => {
    clock.advance(24 * hour);
    while (clock.pending() < planned) await setImmediate();
  };
  const name = (fresh: readonly Named[]) => {
    rows = digestRows(fresh);
  };
  const quarantined = () => filesBelow(layout.quarantineFolder);
  return { root, layout, clock, lines, config, open, night, name, quarantined };
}

const a = { name: 'a.tar.xz', body: Buffer.alloc(M, 'a') };
const b = { name: 'b.tar.xz', body: Buffer.alloc(M, 'b') };
const c = { name: 'c.tar.xz', body: Buffer.alloc(M, 'c') };
const rotten = { name: 'b.tar.xz', body: Buffer.alloc(M, 'x') };
const inOrder = [a, b, c].map(({ name }) => distfilePath(name)).toSorted();

test('each night some of the cache is verified, and the next night goes on from there', async (t) => {
  const { lines, config, open, night, layout } = await scene(t, [a, b, c], [a, b, c]);
  config.verifyNightly = M;
  const upkeep = await open();
  const after = async () => {
    const before = lines.lines().length;
    await night();
    t.regex(await lines.find(/verified/, before), /verified 1 file \(1\.0M\): nothing is wrong$/);
    return JSON.parse(await readFile(layout.verification, 'utf8')).after;
  };
  t.is(await after(), inOrder[0]);
  t.is(await after(), inOrder[1]);
  t.like(upkeep.verification.last(), { verified: 1, bytes: M, wrong: 0 });
  await upkeep.close();
  // Not even a restart makes it begin anew.
  await open();
  t.is(await after(), inOrder[2]);
  t.is(await after(), inOrder[0]);
});

test('it begins at three by the local clock, and some time after', async (t) => {
  const { clock, lines, config, open } = await scene(t, [a], [a]);
  config.verifyNightly = M;
  await open();
  clock.advance(hour + 30 * minute - 1);
  t.false(lines.lines().some((line) => /verified/.test(line)));
  clock.advance(1);
  t.is(await lines.find(/verified/), 'info: verified 1 file (1.0M): nothing is wrong');
});

test('what is wrong at night goes into quarantine, with a warning for each file', async (t) => {
  const { lines, config, open, night, quarantined, root } = await scene(t, [a, b], [a, rotten]);
  config.verifyNightly = 100 * M;
  const upkeep = await open();
  await night();
  const key = distfilePath('b.tar.xz');
  t.deepEqual(await quarantined(), [key]);
  t.deepEqual(await filesBelow(root), [distfilePath('a.tar.xz')]);
  const told = lines.lines().filter((line) => /wrong/.test(line));
  t.regex(told[0] ?? '', /^warn: wrong "distfiles.*b\.tar\.xz": expected BLAKE2B .* quarantine$/);
  t.is(told[1], 'info: verified 1 file (1.0M): 1 wrong, 0 repaired');
  t.like(upkeep.verification.last(), { wrong: 1, repaired: 0, left: 0 });
});

test('nobody is disturbed at night who did not ask for it', async (t) => {
  const { lines, open, night } = await scene(t, [a], [rotten]);
  await open();
  await night();
  t.false(lines.lines().some((line) => /verif|wrong/.test(line)));
});

test('a night without Manifests is told', async (t) => {
  const { lines, config, open, night } = await scene(t, [], [a]);
  config.verifyNightly = M;
  await open();
  await night();
  t.regex(await lines.find(/verify/), /^warn: Cannot verify "\/.*": no Manifests are known; name/);
});

test('entries that the Manifests want otherwise by now are checked, and no others', async (t) => {
  const { open, name, quarantined } = await scene(t, [a, b, c], [a, b, c]);
  const { verification } = await open();
  const other = (file: Named) => ({ ...file, body: Buffer.alloc(M, 'z') });
  name([other(a), other(b), c]);
  await Promise.all([
    verification.recheck(['b.tar.xz', 'c.tar.xz']),
    verification.recheck(['c.tar.xz', 'gone.tar.xz']),
  ]);
  t.deepEqual(await quarantined(), [distfilePath('b.tar.xz')]);
  t.is(verification.last(), undefined);
  name([]);
  await verification.recheck(['a.tar.xz']);
  t.deepEqual(await quarantined(), [distfilePath('b.tar.xz')]);
});

test('a state that cannot be understood is none', async (t) => {
  const { layout, open } = await scene(t, [a], [a]);
  for (const text of ['', '{', '[]', '{"format":2,"after":"x"}', '{"format":1,"last":7}']) {
    await writeFile(layout.verification, text);
    const upkeep = await open();
    t.is(upkeep.verification.last(), undefined);
    await upkeep.close();
  }
});

test('what was in quarantine for a week goes', async (t) => {
  const { config, open, night, quarantined } = await scene(t, [b], [rotten]);
  config.verifyNightly = M;
  await open();
  for (let day = 1; day <= 6; day += 1) await night();
  t.is((await quarantined()).length, 1);
  for (let day = 7; day <= 9; day += 1) await night();
  t.deepEqual(await quarantined(), []);
});
