import { access, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { open } from '../helpers/client.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { type Answer, bodyOf, gate, startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';

const body = bodyOf('package', 400_001);

/** How far the source gets while clients come. */
const first = 50_000;
const broken = 150_000;

const scene = share(test, async (t) => {
  const origin = await startOrigin(t);
  const daemon = await startDaemon(t, { sources: [origin.url] });
  return { origin, daemon };
});

const breaks: readonly [how: string, answer: Answer][] = [
  ['ends before its Content-Length', { cutAfter: broken }],
  ['is reset before its Content-Length', { resetAfter: broken }],
  ['ends between two chunks', { length: 'chunked', cutAfter: broken }],
  ['is reset between two chunks', { length: 'chunked', resetAfter: broken }],
  ['ends without its last chunk', { dropChunkEnd: true }],
  ['is reset, with neither length nor chunks', { length: 'none', resetAfter: broken }],
];

for (const [at, [how, answer]] of breaks.entries()) {
  test(`a body that ${how} and cannot go on resets its readers, and none takes it for whole`, async (t) => {
    const { origin, daemon } = scene();
    const { port } = daemon;
    const target = `/distfiles/3c/broken-${at}.tar.xz`;
    const held = gate();
    const fate = { body, ...answer, chunks: { gate: held, after: first } };
    origin.serve(target, (_request, time) => (time === 1 ? fate : { status: 404 }));
    const modern = open({ port, target, t });
    await modern.read(first);
    const readers = [modern, open({ port, target, t }), open({ port, target, version: '1.0', t })];
    await Promise.all(readers.map(({ head }) => head));
    held.open();
    for (const [index, reader] of readers.entries()) {
      const got = await reader.rest();
      t.is(got.ended, 'reset');
      const start = index === 0 ? first : 0;
      t.true(got.body.equals(body.subarray(start, start + got.body.length)));
    }
    await daemon.logged(new RegExp(`Cannot fetch "distfiles/3c/broken-${at}`));
    await t.throwsAsync(access(join(daemon.cacheDir, target)), { code: 'ENOENT' });
    origin.serve(target, { body });
    const again = await daemon.get(target);
    t.is(again.ended, 'complete');
    t.true(again.body.equals(body));
  });
}

test('a range that will never be reached is reset, and one that was there is whole', async (t) => {
  const { origin, daemon } = scene();
  const target = '/distfiles/3c/ranges.tar.xz';
  const held = gate();
  origin.serve(target, (_request, time) =>
    time === 1 ? { body, cutAfter: broken, chunks: { gate: held, after: first } } : { status: 404 },
  );
  const ask = (range: string) => open({ port: daemon.port, target, fields: [['Range', range]], t });
  const whole = open({ port: daemon.port, target, t });
  await whole.read(first);
  const [there, ahead] = [ask('bytes=100-199'), ask('bytes=300000-300099')];
  t.true((await there.rest()).body.equals(body.subarray(100, 200)));
  await ahead.head;
  held.open();
  t.is((await ahead.rest()).ended, 'reset');
  t.is((await whole.rest()).ended, 'reset');
});

test('a stored file that is made shorter while it is read resets the reader', async (t) => {
  const { origin, daemon } = scene();
  const target = '/distfiles/3c/shortened.tar.xz';
  // More than the socket buffers between the two ends can hold.
  const size = 32 * 1024 ** 2;
  origin.serve(target, { generate: { seed: 'shortened', size } });
  const { body: whole } = await daemon.get(target);
  await daemon.logged(/stored ".*shortened/);
  const reader = open({ port: daemon.port, target, t });
  await reader.head;
  reader.pause();
  await truncate(join(daemon.cacheDir, target), size - 1);
  reader.resume();
  const got = await reader.rest();
  t.is(got.ended, 'reset');
  t.true(got.body.equals(whole.subarray(0, got.body.length)));
});
