import test from 'ava';
import type { DownloadsReply } from '../../daemon/control/reports.ts';
import { connection, open } from '../helpers/client.ts';
import { dialControl } from '../helpers/control.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { type Answer, bodyOf, type Gate, gate, startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';

const body = bodyOf('package', 1_000_003);

/** How far the source gets before its gate. */
const first = 100_001;

const scene = share(test, async (t) => {
  const origin = await startOrigin(t);
  const daemon = await startDaemon(t, { sources: [origin.url] });
  return { origin, daemon };
});

/** A file of the source's that stands still after its first bytes, until the gate opens. */
function serveHeld(name: string, answer: Answer = {}): { target: string; held: Gate } {
  const target = `/distfiles/3c/${name}.tar.xz`;
  const held = gate();
  scene().origin.serve(target, { body, chunks: { gate: held, after: first }, ...answer });
  return { target, held };
}

test('the first bytes are with the client before the source has sent the others', async (t) => {
  const { origin, daemon } = scene();
  const { target, held } = serveHeld('first-bytes');
  const stream = open({ port: daemon.port, target, t });
  const head = await stream.head;
  t.is(head.status, 200);
  t.is(head.header('content-length'), String(body.length));
  t.true((await stream.read(first)).equals(body.subarray(0, first)));
  t.is((await origin.arrived(target)).sent, first);
  held.open();
  const rest = await stream.rest();
  t.like(rest, { ended: 'complete', surplus: 0 });
  t.true(rest.body.equals(body.subarray(first)));
});

test('twenty clients on one cold file are one download, and each gets every byte', async (t) => {
  const { origin, daemon } = scene();
  const { port } = daemon;
  const { target, held } = serveHeld('twenty');
  const begin = Array.from({ length: 19 }, () => open({ port, target, t }));
  for (const stream of begin) {
    t.true((await stream.read(first)).equals(body.subarray(0, first)));
  }
  // The source stands still: whoever comes now starts at byte 0 all the same.
  const late = open({ port, target, t });
  t.true((await late.read(first)).equals(body.subarray(0, first)));
  t.is((await late.head).header('cache-status'), 'package-cache; fwd=uri-miss; stored; collapsed');
  held.open();
  for (const stream of [...begin, late]) {
    const rest = await stream.rest();
    t.is(rest.ended, 'complete');
    t.true(rest.body.equals(body.subarray(first)));
  }
  t.is(origin.count(target), 1);
  t.regex(await daemon.logged(/stored ".*twenty/), /, 20 clients$/);
});

test('a download whose clients have all left goes on, and is stored', async (t) => {
  const { origin, daemon } = scene();
  const { target, held } = serveHeld('left-alone');
  for (let client = 0; client < 3; client += 1) {
    const stream = open({ port: daemon.port, target, t });
    await stream.read(1000);
    stream.destroy();
  }
  held.open();
  await daemon.logged(/stored ".*left-alone/);
  const hit = await daemon.get(target);
  t.is(hit.header('cache-status'), 'package-cache; hit');
  t.true(hit.body.equals(body));
  t.is(origin.count(target), 1);
});

test('a client that leaves while it waits for more is gone at once, however still the source is', async (t) => {
  const { daemon } = scene();
  const { target, held } = serveHeld('gone-while-waiting');
  const staying = open({ port: daemon.port, target, t });
  const leaving = [open({ port: daemon.port, target, t }), open({ port: daemon.port, target, t })];
  for (const stream of [staying, ...leaving]) await stream.read(first);
  const control = await dialControl(t, daemon.controlSocket);
  const clients = async () => {
    const { reply } = await control.call<DownloadsReply>('downloads');
    return reply.downloads.find(({ path }) => path === target.slice(1))?.clients;
  };
  t.is(await clients(), 3);
  for (const stream of leaving) stream.reset();
  while ((await clients()) !== 1);
  held.open();
  t.true((await staying.rest()).body.equals(body.subarray(first)));
});

test('a range in the middle of a download has its head at once, and waits for its bytes', async (t) => {
  const { origin, daemon } = scene();
  const { port } = daemon;
  const { target, held } = serveHeld('range');
  const whole = open({ port, target, t });
  await whole.read(first);
  const ask = (range: string) => open({ port, target, fields: [['Range', range]], t });
  const ahead = ask('bytes=700000-700099');
  const across = ask('bytes=90000-110000');
  const suffix = ask('bytes=-10');
  const there = ask('bytes=5-9');
  t.is((await ahead.head).header('content-range'), 'bytes 700000-700099/1000003');
  t.is((await suffix.head).header('content-range'), 'bytes 999993-1000002/1000003');
  t.true((await across.read(10_001)).equals(body.subarray(90_000, first)));
  t.true((await there.rest()).body.equals(body.subarray(5, 10)));
  t.is((await origin.arrived(target)).sent, first);
  held.open();
  t.true((await ahead.rest()).body.equals(body.subarray(700_000, 700_100)));
  t.true((await across.rest()).body.equals(body.subarray(first, 110_001)));
  t.true((await suffix.rest()).body.equals(body.subarray(-10)));
  t.true((await whole.rest()).body.equals(body.subarray(first)));
  t.is(origin.count(target), 1);
});

test('a client that stops reading slows neither the download nor the others', async (t) => {
  const { origin, daemon } = scene();
  const target = '/distfiles/3c/stopped.tar.xz';
  // More than the socket buffers between the two ends can hold.
  const size = 32 * 1024 ** 2;
  origin.serve(target, { generate: { seed: 'stopped', size } });
  const stopped = open({ port: daemon.port, target, t });
  await stopped.head;
  stopped.pause();
  const other = await daemon.get(target);
  await daemon.logged(/stored ".*stopped/);
  const late = await daemon.get(target);
  t.true(other.body.equals(bodyOf('stopped', size)));
  t.true(late.body.equals(other.body));
  stopped.resume();
  const rest = await stopped.rest();
  t.is(rest.ended, 'complete');
  t.true(rest.body.equals(other.body));
  t.is(origin.count(target), 1);
});

test('a chunked source is streamed without a length, and stored with one', async (t) => {
  const { daemon } = scene();
  const { port } = daemon;
  const { target, held } = serveHeld('chunked', { length: 'chunked' });
  const stream = open({ port, target, t });
  const head = await stream.head;
  t.is(head.header('content-length'), undefined);
  t.is(head.header('etag'), undefined);
  t.is(head.header('transfer-encoding'), 'chunked');
  t.true((await stream.read(first)).equals(body.subarray(0, first)));
  // Nobody knows yet what the last bytes are, so that the whole is the answer.
  const ranged = open({ port, target, fields: [['Range', 'bytes=-10']], t });
  t.is((await ranged.head).status, 200);
  held.open();
  t.true((await stream.rest()).body.equals(body.subarray(first)));
  t.true((await ranged.rest()).body.equals(body));
  await daemon.logged(/stored ".*\/chunked/);
  const hit = await daemon.get(target);
  t.is(hit.header('content-length'), String(body.length));
  t.regex(hit.header('etag') ?? '', /^"[0-9a-f]+-[0-9a-f]+"$/);
  t.true(hit.body.equals(body));
});

test('a body without length and chunks is streamed, and not stored: it may have been cut', async (t) => {
  const { origin, daemon } = scene();
  const { target, held } = serveHeld('endless', { length: 'none' });
  const stream = open({ port: daemon.port, target, t });
  t.is((await stream.head).header('cache-status'), 'package-cache; fwd=uri-miss');
  t.true((await stream.read(first)).equals(body.subarray(0, first)));
  held.open();
  t.true((await stream.rest()).body.equals(body.subarray(first)));
  await daemon.logged(/passed ".*endless.*not stored: its end is uncertain$/);
  t.true((await daemon.get(target)).body.equals(body));
  t.is(origin.count(target), 2);
});

for (const length of ['honest', 'chunked'] as const) {
  test(`an HTTP/1.0 client gets a cold file from a source that is ${length}, and a hit`, async (t) => {
    const { daemon } = scene();
    const { target, held } = serveHeld(`old-client-${length}`, { length });
    held.open();
    const ask = () => daemon.get(target, { version: '1.0', host: false });
    const cold = await ask();
    t.is(cold.header('transfer-encoding'), undefined);
    t.like(cold, { status: 200, ended: 'complete', surplus: 0 });
    t.true(cold.body.equals(body));
    await daemon.logged(new RegExp(`stored ".*old-client-${length}`));
    const hit = await ask();
    t.is(hit.header('content-length'), String(body.length));
    t.true(hit.body.equals(body));
  });
}

test('answers on one connection keep the order of the requests, cold ones among them', async (t) => {
  const { origin, daemon } = scene();
  const { target, held } = serveHeld('pipelined');
  const [stored, missing] = ['/distfiles/stored.tar', '/distfiles/missing.tar'];
  origin.serve(stored, 'stored before');
  await daemon.get(stored);
  const line = connection({ port: daemon.port, t });
  const answers = Promise.all([
    line.send({ target }),
    line.send({ target: stored }),
    line.send({ target: missing }),
    line.send({ target, fields: [['Range', 'bytes=10-19']] }),
    line.send({ target, method: 'HEAD' }),
    line.send({ target }),
  ]);
  await origin.arrived(missing);
  await held.reached;
  held.open();
  const [cold, hit, refused, part, head, again] = await answers;
  t.true(cold.body.equals(body));
  t.is(String(hit.body), 'stored before');
  t.is(refused.status, 404);
  t.true(part.body.equals(body.subarray(10, 20)));
  t.is(head.body.length, 0);
  // Nothing of the range before it is left over.
  t.is(again.status, 200);
  t.true(again.body.equals(body));
  t.is(origin.count(target), 1);
});
