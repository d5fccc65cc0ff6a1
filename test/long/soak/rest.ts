import { setTimeout as pause } from 'node:timers/promises';
import type { StatusReply } from '../../../daemon/control/reports.ts';
import { request } from '../../helpers/client.ts';
import type { Control } from '../../helpers/control.ts';
import type { Field } from '../../helpers/fields.ts';
import { converse } from './admin.ts';
import type { Ground } from './disk.ts';
import { packageTruth, versionAt } from './truth.ts';
import { indexes } from './visits.ts';

/** What a daemon holds that has nothing to do: the least of several looks. */
export interface Floor {
  /** Bytes. */
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  /** What its descriptors lead to, counted by kind. */
  readonly files: Readonly<Record<string, number>>;
  /** What its event loop waits for, counted by kind. */
  readonly resources: Readonly<Record<string, number>>;
  /** Share of a processor that it takes to do nothing. */
  readonly load: number;
}

const LOOKS = 6;
/** Everything may be late on a busy machine; nothing is waited for that is there. */
const PATIENCE = 60_000;

/** Waits until there is nothing more to do, and looks at what is left. */
export async function rest(ground: Ground): Promise<Floor> {
  const { daemon, sources } = ground;
  await sources.calm();
  return converse({ daemon }, async (control) => {
    await until('downloads and clients are gone', async () => {
      const { downloads, clients } = await statusOf(control);
      return downloads + clients === 0;
    });
    await catchUp(ground);
    await letGoOfFiles(ground, control);
    // Connections to the sources that were kept for the next request.
    await sources.calm();
    await until('no file of the cache is open', async () => {
      const files = await daemon.openFiles();
      return !files.some((path) => isEntry(path, daemon.cacheDir));
    });
    return look(ground, control);
  });
}

/** Sources that do well again have every index be of today, soon. */
async function catchUp({ daemon }: Ground): Promise<void> {
  const today = versionAt(Date.now());
  for (const target of indexes) {
    const fields: Field[] = [['Cache-Control', 'no-cache']];
    await until(`${target} is of today`, async () => {
      const head = await request({ port: daemon.port, target, method: 'HEAD', fields });
      return Date.parse(head.header('last-modified') ?? '') / 1000 >= today;
    });
  }
}

/** What is kept open of the entries that were served last is let go of when some are culled. */
async function letGoOfFiles({ daemon }: Ground, control: Control): Promise<void> {
  const target = '/distfiles/rest/tiny-0.tar.xz';
  const { size } = packageTruth(target);
  await until('a file is stored', async () => {
    await request({ port: daemon.port, target });
    const { rows } = await control.call('ls', { path: target.slice(1) });
    return rows.length === 1 && rows[0]?.size === size;
  });
  await control.call('cull', { olderThan: '1ms', path: target.slice(1) });
}

async function look({ daemon }: Ground, control: Control): Promise<Floor> {
  const began = await daemon.cpuSeconds();
  const floors: Floor[] = [];
  for (let count = 0; count < LOOKS; count += 1) {
    await pause(500);
    const files = countBy((await daemon.openFiles()).map((path) => kindOf(path, daemon.cacheDir)));
    // Its memory is looked at when nothing is left in it that nobody needs.
    daemon.signal('SIGUSR2');
    await pause(100);
    const { process } = await statusOf(control);
    floors.push({ ...process, files, load: 0 });
  }
  const load = ((await daemon.cpuSeconds()) - began) / (LOOKS * 0.6);
  return { ...floors.reduce(least), load };
}

function least(left: Floor, right: Floor): Floor {
  return {
    rss: Math.min(left.rss, right.rss),
    heapUsed: Math.min(left.heapUsed, right.heapUsed),
    external: Math.min(left.external, right.external),
    files: leastOf(left.files, right.files),
    resources: leastOf(left.resources, right.resources),
    load: 0,
  };
}

function leastOf(left: Floor['files'], right: Floor['files']): Floor['files'] {
  const kinds = Object.keys(left).filter((kind) => kind in right);
  return Object.fromEntries(
    kinds.map((kind) => [kind, Math.min(left[kind] ?? 0, right[kind] ?? 0)]),
  );
}

function countBy(kinds: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

function kindOf(path: string, cacheDir: string): string {
  if (isEntry(path, cacheDir)) return 'entry';
  return path.replace(/:\[\d+\]$| \(deleted\)$/, '');
}

function isEntry(path: string, cacheDir: string): boolean {
  return path.startsWith(cacheDir) && !path.endsWith('/.package-cache/lock');
}

async function statusOf(control: Control): Promise<StatusReply> {
  return (await control.call<StatusReply>('status')).reply;
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`After ${PATIENCE} ms it is not so that ${what}`);
    await pause(200);
  }
}
