import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { generated } from '../helpers/body.ts';
import { open, request, type Stream } from '../helpers/client.ts';
import { type Daemon, startDaemon } from '../helpers/daemon.ts';
import { bodyOf, startOrigin } from '../helpers/origin.ts';

const megabyte = 1024 ** 2;
const target = '/distfiles/3c/big.tar.xz';

/** What the daemon's memory is at rest, once everything it ever needs is loaded. */
async function warmUp(daemon: Daemon): Promise<number> {
  for (const name of ['a', 'b', 'c']) {
    await daemon.get(`/distfiles/warm/${name}`, { sink: () => {} });
    await daemon.get(`/distfiles/warm/${name}`, { sink: () => {} });
  }
  return daemon.rssKb();
}

test.serial('a download of 4 GiB leaves the memory of the daemon where it was', async (t) => {
  t.timeout(600_000);
  const big = { seed: 'big', size: 4 * 1024 * megabyte };
  const origin = await startOrigin(t, {
    files: {
      [target]: { generate: big },
      '*': { generate: { seed: 'warm', size: 64 * megabyte } },
    },
  });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const before = await warmUp(daemon);
  const truth = generated(big);
  let at = 0;
  let wrong = 0;
  let highest = 0;
  const answer = await request({
    port: daemon.port,
    target,
    sink: (piece) => {
      if (!truth.read(at, at + piece.length).equals(piece)) wrong += 1;
      const marks = Math.floor(at / (128 * megabyte));
      at += piece.length;
      if (Math.floor(at / (128 * megabyte)) === marks) return;
      void daemon.rssKb().then((now) => {
        highest = Math.max(highest, now);
      });
    },
  });
  t.is(answer.ended, 'complete');
  t.is(at, big.size);
  t.is(wrong, 0);
  await daemon.logged(/stored ".*big/);
  t.log(`${before} kB before, ${highest} kB at most, ${await daemon.rssKb()} kB after`);
  t.true(highest > 0);
  t.true(highest - before < 64 * 1024);
  t.true((await daemon.rssKb()) - before < 64 * 1024);
});

const clients = 300;
const rate = 200_000;
const seconds = 15;

/** Reads at its rate and counts the pieces that are not what they should be. */
async function readSlowly(stream: Stream, truth: Buffer): Promise<number> {
  let wrong = 0;
  const began = performance.now();
  for (let second = 0; second < seconds; second += 1) {
    const piece = await stream.read(rate);
    if (!piece.equals(truth.subarray(second * rate, (second + 1) * rate))) wrong += 1;
    await pause(Math.max(0, began + (second + 1) * 1000 - performance.now()));
  }
  return wrong;
}

test.serial('three hundred slow clients of one file add less than 100 MB', async (t) => {
  t.timeout(120_000);
  const truth = bodyOf('shared', 64 * megabyte);
  const origin = await startOrigin(t, {
    files: { [target]: { body: truth }, '*': { generate: { seed: 'warm', size: 8 * megabyte } } },
  });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const before = await warmUp(daemon);
  const streams = Array.from({ length: clients }, () => open({ port: daemon.port, target, t }));
  const reading = streams.map((stream) => readSlowly(stream, truth));
  const wrong = await Promise.all(reading);
  const during = await daemon.rssKb();
  t.log(`${before} kB before, ${during} kB with ${clients} clients`);
  t.deepEqual(
    wrong.filter((count) => count > 0),
    [],
  );
  t.is(origin.count(target), 1);
  t.true(during - before < 100 * 1024);
  for (const stream of streams) stream.destroy();
  t.true((await daemon.get(target)).body.equals(truth));
});
