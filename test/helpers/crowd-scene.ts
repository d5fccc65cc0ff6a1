import type { ExecutionContext } from 'ava';
import { bodyOf } from './body.ts';
import { runCrowd } from './crowd.ts';
import { startDaemon, writeTree } from './daemon.ts';

/** Who comes, and how they are served. */
export interface CrowdScene {
  readonly clients: number;
  readonly sendfile: 'yes' | 'no';
}

/** Lets a crowd come to a daemon that has everything, and checks that each got what was its own. */
export async function meetCrowd(t: ExecutionContext, scene: CrowdScene): Promise<void> {
  const { clients, sendfile } = scene;
  const daemon = await startDaemon(t, { conf: { SENDFILE: sendfile } });
  const bodies = bodiesOf([1000, 30_000, 70_000, 100_000, 300_000, 500_000, 700_000]);
  const baits = bodiesOf([30_000_000, 40_000_000]);
  for (const [name, body] of [...bodies, ...baits]) {
    await writeTree(daemon.cacheDir, { [name.slice(1)]: body });
  }
  const random = randomFrom(7);
  const crowd = { port: daemon.port, clients, together: 100, bodies, baits, random };
  const { whole, left, wrong } = await runCrowd(crowd);
  t.deepEqual(wrong, []);
  t.is(whole + left, clients);
  t.true(whole > clients / 3 && left > clients / 2);
}

function bodiesOf(sizes: readonly number[]): Map<string, Buffer> {
  return new Map(sizes.map((size) => [`/crowd-${size}.tar.xz`, bodyOf(size, size)]));
}

/** Park and Miller's generator: what fails once fails again. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
