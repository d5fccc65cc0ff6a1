import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { startDaemon } from '../../helpers/daemon.ts';
import { tempDir } from '../../helpers/files.ts';
import { chores } from './admin.ts';
import { createDice, type Dice } from './dice.ts';
import { type Ground, mishaps, placeOf } from './disk.ts';
import { judgeFloors, judgeLog, judgeTally, wordFloor } from './judge.ts';
import { plantDistdir, plantManifests } from './known.ts';
import { type Floor, rest } from './rest.ts';
import { startSources } from './sources.ts';
import { faultsOf } from './stored.ts';
import { createTally } from './tally.ts';
import { visits } from './visits.ts';

/** How long, and which dice. */
export interface SoakOptions {
  /** Milliseconds. */
  readonly duration: number;
  readonly seed: string;
}

/** So many clients at a time; most of them are between two requests. */
const CLIENTS = 12;
/** By then all is loaded, compiled and warm, in ms. */
const WARM_UP = 30_000;
/** A long soak takes a rest, and tells how it is, every so many ms. */
const STAGE = 600_000;

/** Has the daemon collect its garbage when it is told to. */
const collector = `
  import { setFlagsFromString } from 'node:v8';
  import { runInNewContext } from 'node:vm';
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  process.on('SIGUSR2', () => collect());
`;

/** Has everybody do everything to a daemon at once, and looks whether that leaves traces. */
export async function soak(t: ExecutionContext, { duration, seed }: SoakOptions): Promise<void> {
  const ground = await prepare(t, seed);
  const { daemon, tally } = ground;
  const end = Date.now() + duration;
  const stage = async (name: string, until: number): Promise<Floor> => {
    await live(ground, { until, seed: `${seed} ${name}` });
    const floor = await rest(ground);
    t.log(wordFloor(floor));
    return floor;
  };
  const before = await stage('first', Date.now() + WARM_UP);
  let after = before;
  for (let count = 0; Date.now() < end; count += 1) {
    after = await stage(`stage ${count}`, Math.min(end, Date.now() + STAGE));
  }
  t.log(Object.fromEntries([...tally.counts].toSorted()));
  judgeTally(t, tally);
  judgeLog(t, daemon.log());
  judgeFloors(t, before, after);
  t.is((await daemon.stop()).code, 0);
  t.deepEqual(await faultsOf(daemon.cacheDir), []);
}

async function prepare(t: ExecutionContext, seed: string): Promise<Ground> {
  const sources = await startSources(t, seed);
  const directory = await tempDir(t);
  const [accessLog, distdir, repository] = ['access.log', 'distdir', 'gentoo'].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  plantManifests(repository);
  await plantDistdir(distdir);
  const conf = {
    MUTABLE: 'dists/**',
    MANIFESTS: repository,
    NEGATIVE_TTL: '1s',
    HEDGE_AFTER: '1s',
    ACCESS_LOG: accessLog,
  };
  const daemon = await startDaemon(t, {
    sources: sources.urls,
    conf: { ...conf, MUTABLE_TTL: '3s', MAX_SIZE: '48M' },
    env: {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(collector)}`,
      // Memory that is free goes back, so that what is left says something.
      MALLOC_ARENA_MAX: '1',
      MALLOC_TRIM_THRESHOLD_: '131072',
    },
  });
  await daemon.logged(/Manifests: /);
  return { daemon, sources, tally: createTally(), conf, accessLog, distdir };
}

interface Period {
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly seed: string;
}

/** Lets all of them do what they do, until the time is over and the last one has ended. */
async function live(ground: Ground, { until, seed }: Period): Promise<void> {
  const { tally, sources } = ground;
  const place = placeOf(ground);
  const lane = async (name: string, most: number, act: (dice: Dice) => Promise<unknown>) => {
    const dice = createDice(`${seed} ${name}`);
    while (Date.now() < until) {
      await act(dice).catch((error: Error) => tally.wrong(`${name}: ${error.message}`));
      await pause(dice.below(most));
    }
  };
  const clients = Array.from({ length: CLIENTS }, (_, index) =>
    lane(`client ${index}`, 100, (dice) => dice.weigh(visits)(place, dice)),
  );
  await Promise.all([
    ...clients,
    lane('admin', 500, (dice) => dice.weigh(chores)(ground, dice)),
    lane('weather', 3000, (dice) => sources.change(dice)),
    lane('disk', 1000, (dice) => {
      const mishap = dice.weigh(mishaps);
      tally.count(`mishap ${mishap.name}`);
      return mishap(ground, dice);
    }),
  ]);
}
