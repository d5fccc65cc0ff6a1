import { chmod, mkdir, open, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createLayout } from '../../../daemon/cache/layout.ts';
import { distfilePath } from '../../../daemon/gentoo/distfile.ts';
import { request } from '../../helpers/client.ts';
import type { Charge } from './admin.ts';
import { converse } from './admin.ts';
import type { Dice } from './dice.ts';
import { rotting } from './known.ts';
import { get, type Place } from './reading.ts';
import type { Sources } from './sources.ts';
import { packageTruth } from './truth.ts';
import { someIndex, someTarget } from './visits.ts';

/** What lies below the daemon, and what it is filled from. */
export interface Ground extends Charge {
  readonly sources: Sources;
}

/** Where its clients ask. */
export function placeOf({ daemon, sources, tally }: Ground): Place {
  return { port: daemon.port, source: sources.urls[0] ?? '', tally };
}

/** What may happen to the disk, without root. */
export type Mishap = (ground: Ground, dice: Dice) => Promise<void>;

const removed: Mishap = async ({ daemon }, dice) => {
  const target = dice.pick([someTarget, someIndex])(dice);
  await rm(join(daemon.cacheDir, target), { recursive: true, force: true });
};

/** What a symlink leads to is nobody's to see. */
const linked: Mishap = async ({ daemon }, dice) => {
  const path = await makeRoom(daemon.cacheDir, someTarget(dice));
  await symlink(daemon.confFile, path).catch(unless('EEXIST'));
};

const inTheWay: Mishap = async ({ daemon }, dice) => {
  const path = await makeRoom(daemon.cacheDir, someTarget(dice));
  await mkdir(path).catch(unless('EEXIST'));
};

/** A folder that nobody may write to for a moment; root may. */
const readOnly: Mishap = async ({ daemon }, dice) => {
  const { partialFolder, metaFolder } = createLayout(daemon.cacheDir);
  const packages = join(daemon.cacheDir, dirname(someTarget(dice)));
  const folder = dice.pick([partialFolder, metaFolder, packages]);
  await chmod(folder, 0o555).catch(unless('ENOENT'));
  await pause(dice.below(500));
  await chmod(folder, 0o755).catch(unless('ENOENT'));
};

/** All of a folder of the daemon's own; what it writes at the same time may be too quick for us. */
const emptied: Mishap = async ({ daemon }, dice) => {
  const { partialFolder, metaFolder } = createLayout(daemon.cacheDir);
  const folder = dice.pick([partialFolder, metaFolder]);
  await rm(folder, { recursive: true, force: true }).catch(unless('ENOTEMPTY'));
};

const spoiltRecords: Mishap = async ({ daemon }, dice) => {
  for (const file of await filesIn(createLayout(daemon.cacheDir).metaFolder)) {
    if (dice.chance(0.3)) await writeFile(file, '{"format":1').catch(unless('ENOENT', 'EACCES'));
  }
};

const lostPartials: Mishap = async ({ daemon }, dice) => {
  for (const file of await filesIn(createLayout(daemon.cacheDir).partialFolder)) {
    if (dice.chance(0.3)) await rm(file, { force: true });
  }
};

/**
 * Of what was announced before a file was cut, the rest must be missed. Bytes that the kernel still
 * holds for a socket become noughts where the cut goes through a page.
 */
const cut: Mishap = async (ground, dice) => {
  const { daemon } = ground;
  const target = `/distfiles/f0/medium-cut-${dice.below(1e9)}.tar.xz`;
  const { size, read } = packageTruth(target);
  const { port } = daemon;
  await get(placeOf(ground), { target });
  const reading = request({ port, target });
  const left = Math.floor(size / 2);
  await truncate(join(daemon.cacheDir, target), left).catch(unless('ENOENT'));
  const { status, ended, body } = await reading;
  const truth = read(0, size);
  const wrong = body.findIndex((byte, at) => byte !== truth[at] && (at < left || byte !== 0));
  const explained = ended === 'reset' || [size, left].includes(body.length);
  if (status === 200 && (wrong >= 0 || !explained)) {
    throw new Error(`${target}, cut to ${left}: ${ended} after ${body.length}, wrong at ${wrong}`);
  }
  await converse({ daemon }, (control) => control.call('purge', { patterns: [target.slice(1)] }));
  await get(placeOf(ground), { target });
};

/** What rots is found out and fetched anew, when somebody has it looked through. */
const rotten: Mishap = async (ground, dice) => {
  const { daemon } = ground;
  const path = distfilePath(dice.pick(rotting));
  await get(placeOf(ground), { target: `/${path}` });
  await rot(join(daemon.cacheDir, path)).catch(unless('ENOENT'));
  await converse({ daemon }, async (control) => {
    const { error } = await control.call('verify', { path, repair: true });
    // Another one may be looking through it all.
    if (error !== undefined) await control.call('purge', { patterns: [path] });
  });
  await get(placeOf(ground), { target: `/${path}` });
};

/** A partial that became shorter is the beginning of a file all the same. */
const cutPartial: Mishap = async (ground, dice) => {
  const { daemon, sources } = ground;
  const target = `/distfiles/f0/medium-torn-${dice.below(1e9)}.tar.xz`;
  const place = placeOf(ground);
  const mend = sources.tear(target);
  await get(place, { target });
  mend();
  const partial = createLayout(daemon.cacheDir).partial(target.slice(1));
  await truncate(partial, dice.below(30_000)).catch(unless('ENOENT'));
  await get(place, { target });
};

/** All of it, with how often it happens. */
export const mishaps: readonly (readonly [weight: number, mishap: Mishap])[] = [
  [5, removed],
  [2, linked],
  [1, inTheWay],
  [2, readOnly],
  [1, emptied],
  [2, spoiltRecords],
  [2, lostPartials],
  [3, cut],
  [3, cutPartial],
  [2, rotten],
];

async function makeRoom(cacheDir: string, target: string): Promise<string> {
  const path = join(cacheDir, target);
  await rm(path, { recursive: true, force: true });
  await mkdir(dirname(path), { recursive: true });
  return path;
}

/** Another byte in the middle, where the disk has lost it. */
async function rot(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    await file.write(Buffer.from([0, 1, 2, 3]), 0, 4, Math.floor(size / 2));
  } finally {
    await file.close();
  }
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** The daemon works in the same folders: these are not mishaps of ours. */
function unless(...codes: readonly string[]): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (!codes.includes(error.code ?? '')) throw error;
  };
}
