import test from 'ava';
import { runCrowd } from '../helpers/crowd.ts';
import { startDaemon, writeTree } from '../helpers/daemon.ts';
import { bodyOf } from '../helpers/origin.ts';

/** Park and Miller's generator: what fails once fails again. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function bodiesOf(sizes: readonly number[]): Map<string, Buffer> {
  return new Map(sizes.map((size) => [`/crowd-${size}.tar.xz`, bodyOf(size, size)]));
}

test('no byte of one client reaches another: 3,000 come, most of them leave in the middle', async (t) => {
  const daemon = await startDaemon(t);
  const bodies = bodiesOf([1000, 30_000, 70_000, 100_000, 300_000, 500_000, 700_000]);
  const baits = bodiesOf([30_000_000, 40_000_000]);
  for (const [name, body] of [...bodies, ...baits]) {
    await writeTree(daemon.cacheDir, { [name.slice(1)]: body });
  }
  const clients = 3000;
  const random = randomFrom(7);
  const crowd = { port: daemon.port, clients, together: 100, bodies, baits, random };
  const { whole, left, wrong } = await runCrowd(crowd);
  t.deepEqual(wrong, []);
  t.is(whole + left, clients);
  t.true(whole > 1000 && left > 1500);
});
