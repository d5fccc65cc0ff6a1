import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { request } from './client.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import { bodyOf, startOrigin } from './origin.ts';

/** From 0 to below 1, by the seed alone. */
function chance(seed: string): number {
  return bodyOf(seed, 4).readUInt32LE() / 2 ** 32;
}

const contents = new Map<string, Buffer>();

function contentOf(target: string): Buffer {
  const known = contents.get(target);
  if (known !== undefined) return known;
  const content = bodyOf(target, 1 + Math.floor(chance(`size of ${target}`) ** 3 * 600_000));
  contents.set(target, content);
  return content;
}

/** Packages large and small, and documents of which one is the directory of another. */
function targetsOf(round: number): string[] {
  const packages = [0, 1, 2, 3].map((at) => `/distfiles/${round % 4}/p-${round}-${at}.tar`);
  return [...packages, `/docs/${round}`, `/docs/${round}/below`, `/dists/${round}/InRelease`];
}

/** Paths below the cache, as targets, and what is wrong with their bytes. */
async function faultsOf({ cacheDir }: Daemon): Promise<string[]> {
  const all = await readdir(cacheDir, { recursive: true, withFileTypes: true });
  const faults: string[] = [];
  for (const entry of all) {
    const path = join(entry.parentPath, entry.name);
    const below = path.slice(cacheDir.length);
    if (!entry.isFile() || below.startsWith('/.package-cache/')) continue;
    const target = below.replace('/.package-cache-self', '');
    if (!(await readFile(path)).equals(contentOf(target))) faults.push(below);
  }
  return faults;
}

/** Kills a daemon under load again and again, at moments that the round alone decides. */
export async function survivesKills(t: ExecutionContext, kills: number): Promise<void> {
  const origin = await startOrigin(t, {
    files: {
      '*': ({ target }) => {
        const chunked = chance(`framing of ${target}`) < 0.3;
        return { body: contentOf(target), length: chunked ? 'chunked' : 'honest' };
      },
    },
  });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const { port } = daemon;
  for (let round = 0; round < kills; round += 1) {
    const targets = [...targetsOf(round), ...targetsOf(Math.max(0, round - 1))];
    const total = targetsOf(round).reduce((sum, target) => sum + contentOf(target).length, 0);
    const end = Math.floor(total * Math.min(1, chance(`kill ${round}`) * 1.3));
    let received = 0;
    const sink = (piece: Buffer) => {
      received += piece.length;
      if (received > end) daemon.signal('SIGKILL');
    };
    const asked = targets.map((target) => request({ port, target, sink }).catch(() => {}));
    await Promise.all(asked);
    t.is((await daemon.kill()).signal, 'SIGKILL');
    t.deepEqual(await faultsOf(daemon), [], `after kill ${round}`);
    await daemon.restart();
    for (const target of targets) {
      const { status, body } = await request({ port, target });
      t.is(status, 200, target);
      t.true(body.equals(contentOf(target)), target);
    }
  }
  await daemon.stop();
  t.deepEqual(await faultsOf(daemon), []);
}
