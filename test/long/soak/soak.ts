import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { startDaemon } from '../../helpers/daemon.ts';
import { tempDir } from '../../helpers/files.ts';
import { chores } from './admin.ts';
import { createDice, type Dice } from './dice.ts';
import { type Ground, mishaps, placeOf } from './disk.ts';
import { judgeFloors, judgeLog, judgeTally, wordFloor } from './judge.ts';
import { rest } from './rest.ts';
import { startSources } from './sources.ts';
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

/** Has the daemon collect its garbage when it is told to. */
const collector = `
  import { setFlagsFromString } from 'node:v8';
  import { runInNewContext } from 'node:vm';
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  process.on('SIGUSR2', () => collect());
`;

export async function soak(t: ExecutionContext, { duration, seed }: SoakOptions): Promise<void> {
  const ground = await prepare(t, seed);
  const { daemon, tally } = ground;
  const began = Date.now();
  await live(ground, { until: began + WARM_UP, seed: `${seed} first` });
  const before = await rest(ground);
  t.log(wordFloor(before));
  await live(ground, { until: began + duration, seed });
  const after = await rest(ground);
  t.log(wordFloor(after));
  t.log(
    [...tally.counts]
      .map(([what, count]) => `${what}: ${count}`)
      .toSorted()
      .join(', '),
  );
  judgeTally(t, tally);
  judgeLog(t, daemon.log());
  judgeFloors(t, before, after);
  t.is((await daemon.stop()).code, 0);
}

async function prepare(t: ExecutionContext, seed: string): Promise<Ground> {
  const sources = await startSources(t, seed);
  const accessLog = join(await tempDir(t), 'access.log');
  const conf = {
    MUTABLE: 'dists/**',
    NEGATIVE_TTL: '1s',
    HEDGE_AFTER: '1s',
    ACCESS_LOG: accessLog,
  };
  const daemon = await startDaemon(t, {
    sources: sources.urls,
    conf: { ...conf, MUTABLE_TTL: '3s', MAX_SIZE: '48M' },
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(collector)}` },
  });
  return { daemon, sources, tally: createTally(), conf, accessLog };
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
  const lane = async (name: string, act: (dice: Dice) => Promise<unknown>, most: number) => {
    const dice = createDice(`${seed} ${name}`);
    while (Date.now() < until) {
      await act(dice).catch((error: Error) => tally.wrong(`${name}: ${error.message}`));
      await pause(dice.below(most));
    }
  };
  const byName = visits.map(([weight, , visit]) => [weight, visit] as const);
  const clients = Array.from({ length: CLIENTS }, (_, index) =>
    lane(`client ${index}`, (dice) => dice.weigh(byName)(place, dice), 100),
  );
  await Promise.all([
    ...clients,
    lane('admin', (dice) => dice.weigh(chores)(ground, dice), 500),
    lane('weather', (dice) => sources.change(dice), 3000),
    lane('disk', (dice) => dice.weigh(mishaps)(ground, dice), 2000),
  ]);
}
