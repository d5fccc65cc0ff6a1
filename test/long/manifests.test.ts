import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import type { StatusReply } from '../../daemon/control/reports.ts';
import { dialControl } from '../helpers/control.ts';
import { type Daemon, startDaemon } from '../helpers/daemon.ts';
import { tempDir } from '../helpers/files.ts';
import { root } from '../helpers/process.ts';
import { distLine, gentooSize, plantGentoo, plantManifest } from '../helpers/repository.ts';

const megabyte = 1024 ** 2;

/** The most memory that a daemon ever had, in MB. */
async function mostMemory({ pid }: Daemon): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round((Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024) / megabyte);
}

test('::gentoo takes less than 100 MB and 5 s of CPU, and far less when nothing is new', async (t) => {
  const MANIFESTS = join(await tempDir(t), 'gentoo');
  plantGentoo(MANIFESTS);
  // As it is installed: what strips the types here takes memory of its own.
  const program = join(root, 'build/package-cache.js');
  const daemon = await startDaemon(t, { program });
  const control = await dialControl(t, daemon.controlSocket);
  const manifests = async () => (await control.call<StatusReply>('status')).reply.manifests;
  /** Has the Manifests looked through, and tells what that took. */
  const scan = async () => {
    const [cpu, last] = [await daemon.cpuSeconds(), (await manifests())?.readAt];
    daemon.signal('SIGHUP');
    let known = await manifests();
    while (known === null || known.readAt === null || known.readAt === last) {
      await pause(100);
      known = await manifests();
    }
    const seconds = Number(((await daemon.cpuSeconds()) - cpu).toFixed(2));
    const memory = (await mostMemory(daemon)) - before;
    return { digests: known.digests, seconds, memory };
  };
  await manifests();
  const before = await mostMemory(daemon);
  await daemon.configure({ MANIFESTS });
  const first = await scan();
  const unchanged = await scan();
  // Syncs are hours apart, and V8 gives back what it does not need within seconds.
  await pause(10_000);
  const rest = Math.round(((await daemon.rssKb()) * 1024) / megabyte) - before;
  plantManifest(join(MANIFESTS, 'category-0/new'), [distLine('new')]);
  const changed = await scan();
  t.log(`at rest ${rest} MB more`, { first, unchanged, changed });
  t.is(first.digests, gentooSize.lines);
  t.is(changed.digests, gentooSize.lines + 1);
  t.true(first.seconds < 5);
  t.true(unchanged.seconds < first.seconds / 2);
  t.true(changed.memory < 100);
});
