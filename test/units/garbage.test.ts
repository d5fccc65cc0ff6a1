import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { collectGarbage, createGarbageMeter } from '../../daemon/system/garbage.ts';

const megabyte = 1024 * 1024;

test('garbage is collected once for every 16 MiB of buffers, whatever their sizes', (t) => {
  let collected = 0;
  const meter = createGarbageMeter(() => {
    collected += 1;
  });
  for (let buffers = 0; buffers < 255; buffers += 1) meter(megabyte / 16);
  t.is(collected, 0);
  meter(megabyte / 16);
  t.is(collected, 1);
  meter(100 * megabyte);
  t.is(collected, 2);
});

test('buffers that nobody holds are gone when the meter has collected', (t) => {
  const meter = createGarbageMeter();
  const before = process.memoryUsage().arrayBuffers;
  for (let buffers = 0; buffers < 128; buffers += 1) {
    const { length } = Buffer.allocUnsafeSlow(megabyte);
    meter(length);
  }
  t.true(process.memoryUsage().arrayBuffers - before < 48 * megabyte);
});

test('what is old and nobody holds is gone when all garbage was collected', async (t) => {
  const meter = createGarbageMeter();
  const weak = new WeakRef(new SharedArrayBuffer(megabyte));
  // Old by now: no young collection looks at it any more.
  for (let collections = 0; collections < 3; collections += 1) meter(16 * megabyte);
  // A WeakRef holds what it was made for until its turn of the event loop ends.
  await setImmediate();
  collectGarbage();
  t.is(weak.deref(), undefined);
});
