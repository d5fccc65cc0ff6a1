import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { type Control, dialControl } from '../../helpers/control.ts';
import type { Daemon } from '../../helpers/daemon.ts';
import type { Dice } from './dice.ts';
import type { Tally } from './tally.ts';
import { freshTarget, someIndex, someTarget } from './visits.ts';

/** Whom the admin looks after. */
export interface Charge {
  readonly daemon: Daemon;
  readonly tally: Tally;
  /** What the configuration says, but for what the admin changes all the time. */
  readonly conf: Readonly<Record<string, string>>;
  readonly accessLog: string;
  /** A DISTDIR to take over. */
  readonly distdir: string;
}

/** What an admin does all day. */
export type Chore = (charge: Charge, dice: Dice) => Promise<void>;

/** What may come of a command that is in order. */
const EXCUSES = ['cancelled', 'not-found', 'busy', 'config'];

/** Talks to the daemon, and goes away again. */
export async function converse<T>(
  { daemon }: Pick<Charge, 'daemon'>,
  talk: (control: Control) => Promise<T>,
): Promise<T> {
  const control = await dialControl({ teardown: () => {} }, daemon.controlSocket);
  try {
    return await talk(control);
  } finally {
    control.close();
    await control.closed;
  }
}

function command(method: string, params: (dice: Dice) => unknown = () => undefined): Chore {
  return (charge, dice) =>
    converse(charge, async (control) => {
      const { error } = await control.call(method, params(dice));
      if (error !== undefined && !EXCUSES.includes(error.data?.code ?? '')) {
        throw new Error(`${method}: ${error.message}`);
      }
      charge.tally.count(`command ${method}`);
    });
}

const somePath = (dice: Dice) => dice.pick([someTarget, someIndex])(dice).slice(1);

const commands: readonly Chore[] = [
  ...['status', 'stats', 'top', 'sources', 'downloads'].map((name) => command(name)),
  command('why', (dice) => ({ path: somePath(dice) })),
  command('ls', (dice) => dice.pick([{}, { path: 'dists/**' }, { sort: 'size' }])),
  command('log-level', (dice) => ({ level: dice.pick(['info', 'debug']) })),
  command('fetch', (dice) => ({
    paths: [
      somePath(dice),
      freshTarget(dice).slice(1),
      somePath(dice),
      '/distfiles/00/none-x.tar.xz',
    ],
  })),
  command('purge', (dice) => ({
    patterns: [
      somePath(dice),
      somePath(dice),
      dice.pick(['distfiles/30/*', 'dists/1/**', 'nothing']),
    ],
  })),
  command('cull', (dice) =>
    dice.pick([
      { toSize: '8M' },
      { olderThan: '20s' },
      { olderThan: '1s', path: 'distfiles/ff/*' },
    ]),
  ),
  command('verify', (dice) => dice.pick([{}, { repair: true }, { path: 'distfiles/*/small*' }])),
  command('reload'),
];

const takeOver: Chore = (charge) =>
  converse(charge, async (control) => {
    const { error } = await control.call('import', { directory: charge.distdir });
    if (error !== undefined && !EXCUSES.includes(error.data?.code ?? '')) {
      throw new Error(`import: ${error.message}`);
    }
    charge.tally.count('command import');
  });

const cancel: Chore = (charge) =>
  converse(charge, async (control) => {
    const { reply } = await control.call<{ downloads: { path: string }[] }>('downloads');
    const [first] = reply.downloads;
    if (first === undefined) return;
    await control.call('downloads', { cancel: first.path });
    charge.tally.count('command cancel');
  });

/** Watches for a while, does not always look, and goes in the middle of a sentence. */
const watch: Chore = (charge, dice) =>
  converse(charge, async (control) => {
    void control.call('watch', { requests: dice.chance(0.5) }).catch(() => {});
    if (dice.chance(0.3)) control.pause();
    await pause(dice.below(2000));
    control.resume();
    charge.tally.count('command watch');
  });

/** Changes the configuration, now and then for the worse, and moves the access log away. */
const reload: Chore = async ({ daemon, conf, accessLog, tally }, dice) => {
  const bad: Record<string, string> = dice.chance(0.15) ? { MAX_FILLS: 'many' } : {};
  await daemon.configure({
    ...conf,
    MUTABLE_TTL: dice.pick(['1s', '3s']),
    MAX_SIZE: dice.pick(['16M', '48M']),
    MAX_FILLS: dice.pick(['64', '8']),
    ...bad,
  });
  await rm(accessLog, { force: true });
  daemon.signal('SIGHUP');
  tally.count('command SIGHUP');
};

/** All of it, with how often each is done. */
export const chores: readonly (readonly [weight: number, chore: Chore])[] = [
  ...commands.map((chore) => [2, chore] as const),
  [1, cancel],
  [1, takeOver],
  [4, watch],
  [3, reload],
];
