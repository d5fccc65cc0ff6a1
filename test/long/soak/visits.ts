import { setTimeout as pause } from 'node:timers/promises';
import { distfilePath } from '../../../daemon/gentoo/distfile.ts';
import type { Field } from '../../helpers/fields.ts';
import type { Dice } from './dice.ts';
import { known } from './known.ts';
import { get, type Place, pipeline, read } from './reading.ts';
import { packageTruth } from './truth.ts';

/** One visit of a client. */
export type Visit = (place: Place, dice: Dice) => Promise<void>;

const words: readonly (readonly [weight: number, word: string, names: number])[] = [
  [5, 'tiny', 60],
  [8, 'small', 100],
  [5, 'medium', 40],
  [1, 'large', 6],
];

/** Names that everybody asks for. */
export function someTarget(dice: Dice): string {
  const [, word, names] = dice.weigh(words.map((row) => [row[0], row] as const));
  const number = dice.below(names);
  return `/distfiles/${(number % 16).toString(16)}0/${word}-${number}.tar.xz`;
}

/** A name that nobody has asked for before. */
export function freshTarget(dice: Dice, word = 'small'): string {
  return `/distfiles/ff/${word}-${Date.now()}.${dice.below(1e9)}.tar.xz`;
}

/** Names that may change. */
export const indexes: readonly string[] = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((directory) =>
  ['InRelease', 'Packages.gz', 'main.db'].map((name) => `/dists/${directory}/${name}`),
);

/** One of them. */
export function someIndex(dice: Dice): string {
  return dice.pick(indexes);
}

const whole: Visit = (place, dice) => get(place, { target: someTarget(dice) });

const fresh: Visit = (place, dice) => get(place, { target: freshTarget(dice) });

const index: Visit = (place, dice) => {
  const fields: Field[] = dice.chance(0.3)
    ? [['Cache-Control', dice.pick(['no-cache', 'max-age=0'])]]
    : [];
  return get(place, { target: someIndex(dice), fields });
};

/** Asked for in either layout; in parts it would come before it is proven. */
const proven: Visit = (place, dice) => {
  const name = dice.pick(known);
  const target = dice.chance(0.2) ? `/distfiles/${name}` : `/${distfilePath(name)}`;
  return get(place, { target, method: dice.chance(0.1) ? 'HEAD' : 'GET' });
};

const leave: Visit = async (place, dice) => {
  const target = dice.chance(0.3) ? freshTarget(dice, 'medium') : someTarget(dice);
  const reading = await read(place, { target });
  await reading.take(dice.below(packageTruth(target).size));
  reading.leave(dice.pick(['destroy', 'reset']));
};

const slow: Visit = async (place, dice) => {
  const target = dice.pick([someTarget(dice), freshTarget(dice, 'medium')]);
  const reading = await read(place, { target });
  for (let steps = 1 + dice.below(20); steps > 0; steps -= 1) {
    await reading.take(20_000);
    await pause(dice.below(200));
  }
  await reading.finish();
};

const deaf: Visit = async (place, dice) => {
  const reading = await read(place, { target: '/distfiles/00/large-0.tar.xz' });
  await pause(dice.below(3000));
  reading.leave(dice.pick(['destroy', 'reset']));
};

const range: Visit = (place, dice) => {
  const target = dice.chance(0.2) ? freshTarget(dice, 'medium') : someTarget(dice);
  const { size, etag, lastModified } = packageTruth(target);
  const [first, last] = [dice.below(size), dice.below(size)].toSorted((a, b) => a - b);
  const value = dice.weigh([
    [5, `${first}-${last}`],
    [3, `${first}-`],
    [2, `-${1 + dice.below(size)}`],
    [2, `${size + dice.below(100)}-`],
    [3, `0-${first},${last}-${size},-1`],
    [1, `${last}-${first}`],
  ]);
  const condition: Field = [
    'If-Range',
    dice.pick([etag, '"another"', new Date(lastModified * 1000).toUTCString()]),
  ];
  const fields: Field[] = [['Range', `bytes=${value}`], ...(dice.chance(0.3) ? [condition] : [])];
  return get(place, { target, fields, also: [416] });
};

const conditional: Visit = (place, dice) => {
  const target = someTarget(dice);
  const { etag, lastModified } = packageTruth(target);
  const date = new Date((lastModified + dice.below(3) - 1) * 1000).toUTCString();
  const fields: Field[] = [
    dice.pick<Field>([
      ['If-None-Match', etag],
      ['If-None-Match', '"another"'],
      ['If-Modified-Since', date],
      ['If-Unmodified-Since', date],
      ['If-Match', dice.pick([etag, '"another"'])],
    ]),
  ];
  return get(place, { target, fields, also: [304, 412] });
};

const head: Visit = (place, dice) => {
  const target = dice.pick([someTarget(dice), someIndex(dice), freshTarget(dice)]);
  return get(place, { target, method: 'HEAD' });
};

const onlyIfCached: Visit = (place, dice) => {
  const fields: Field[] = [['Cache-Control', 'only-if-cached']];
  return get(place, {
    target: dice.pick([someTarget(dice), someIndex(dice)]),
    fields,
    also: [504],
  });
};

const proxied: Visit = (place, dice) => {
  const target = dice.pick([someTarget, someIndex])(dice);
  return get(place, { target: place.source + target.slice(1) });
};

const pass: Visit = (place, dice) => {
  const target = dice.pick(['/dists/', `/distfiles/00/?query=${dice.below(1000)}`]);
  return get(place, { target });
};

const missing: Visit = (place, dice) => {
  const target = `/distfiles/00/none-${dice.below(dice.pick([10, 1e9]))}.tar.xz`;
  return get(place, { target, also: [404] });
};

const crowd: Visit = async (place, dice) => {
  const target = freshTarget(dice, dice.pick(['medium', 'large']));
  const clients = Array.from({ length: 2 + dice.below(6) }, async () => {
    await pause(dice.below(300));
    await get(place, { target });
  });
  await Promise.all(clients);
};

const several: Visit = (place, dice) => {
  const asks = Array.from({ length: 2 + dice.below(6) }, () => ({
    target: dice.pick([someTarget(dice), someIndex(dice), freshTarget(dice)]),
    method: dice.pick(['GET', 'GET', 'HEAD'] as const),
  }));
  return pipeline(place, asks);
};

/** All kinds of visits, with how often each is made. */
export const visits: readonly (readonly [weight: number, visit: Visit])[] = [
  [30, whole],
  [6, fresh],
  [15, index],
  [8, proven],
  [10, leave],
  [4, slow],
  [1, deaf],
  [15, range],
  [6, conditional],
  [4, head],
  [2, onlyIfCached],
  [3, proxied],
  [4, pass],
  [4, missing],
  [4, several],
  [1, crowd],
];
