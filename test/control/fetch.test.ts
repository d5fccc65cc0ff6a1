import test from 'ava';
import type { FetchReply } from '../../daemon/control/content-reports.ts';
import { open } from '../helpers/client.ts';
import { dialControl, paramsOf } from '../helpers/control.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { bodyOf, gate, startOrigin } from '../helpers/origin.ts';

const body = bodyOf('package', 200_001);
const held = '/distfiles/aa/held.tar.xz';

function fetchOf(paths: readonly string[]): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'fetch', params: { paths } });
}

test('what MAX_FILLS has no place for waits for one, and is told as it goes', async (t) => {
  const wall = gate();
  t.teardown(wall.open);
  const origin = await startOrigin(t, { files: { '*': { body } } });
  origin.serve(held, { body, chunks: { gate: wall, after: 1000 } });
  const conf = { MAX_FILLS: '1' };
  const daemon = await startDaemon(t, { sources: [origin.url], conf });
  const control = await dialControl(t, daemon.controlSocket);
  const stream = open({ port: daemon.port, target: held, t });
  await stream.read(1000);
  control.write(fetchOf(['a.tar.xz', 'b.tar.xz', 'c.tar.xz']));
  const progress = await control.next(({ method }) => method === 'progress');
  t.like(paramsOf(progress), { entries: 0, bytes: 0, total: 3 });
  t.is((await daemon.get('/d.tar.xz')).status, 503);
  wall.open();
  const answer = await control.next(({ id }) => id === 1);
  t.like(answer.result as FetchReply, { stored: 3, present: 0, failed: 0 });
  t.is((await stream.rest()).ended, 'complete');
});

test('what no source has a place for waits for one, too', async (t) => {
  const wall = gate();
  t.teardown(wall.open);
  const origin = await startOrigin(t, { files: { '*': { body } } });
  origin.serve(held, { body, chunks: { gate: wall, after: 1000 } });
  const conf = { MAX_FILLS_PER_SOURCE: '1', MAX_QUEUE: '1' };
  const daemon = await startDaemon(t, { sources: [origin.url], conf });
  const control = await dialControl(t, daemon.controlSocket);
  const stream = open({ port: daemon.port, target: held, t });
  await stream.read(1000);
  // One of them fills the queue, and the other tells that it is full.
  const both = ['/c.tar.xz', '/d.tar.xz'].map((name) => daemon.get(name));
  t.is((await Promise.race(both)).status, 503);
  control.write(fetchOf(['a.tar.xz', 'b.tar.xz']));
  t.like(paramsOf(await control.next(({ method }) => method === 'progress')), { entries: 0 });
  wall.open();
  const answer = await control.next(({ id }) => id === 1);
  t.like(answer.result as FetchReply, { stored: 2, present: 0, failed: 0 });
  t.deepEqual((await Promise.all(both)).map(({ status }) => status).toSorted(), [200, 503]);
  t.is((await stream.rest()).ended, 'complete');
});

test('a fetch that is called off leaves a download to the client that shares it', async (t) => {
  const wall = gate();
  t.teardown(wall.open);
  const origin = await startOrigin(t);
  origin.serve(held, { body, chunks: { gate: wall, after: 1000 } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const [control, watcher] = [
    await dialControl(t, daemon.controlSocket),
    await dialControl(t, daemon.controlSocket),
  ];
  control.write(fetchOf([held]));
  await origin.arrived(held);
  const stream = open({ port: daemon.port, target: held, t });
  await stream.read(1000);
  control.close();
  await control.closed;
  await watcher.call('downloads');
  wall.open();
  t.is((await stream.rest()).ended, 'complete');
  t.is(origin.count(held), 1);
});

test('a fetch joins the download of a client, and the client notices nothing', async (t) => {
  const wall = gate();
  t.teardown(wall.open);
  const origin = await startOrigin(t);
  origin.serve(held, { body, chunks: { gate: wall, after: 1000 } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const control = await dialControl(t, daemon.controlSocket);
  const stream = open({ port: daemon.port, target: held, t });
  await stream.read(1000);
  const fetched = control.call<FetchReply>('fetch', { paths: [held] });
  await control.call('log-level');
  wall.open();
  t.is((await fetched).reply.failed, 0);
  t.is((await stream.rest()).ended, 'complete');
  t.is(origin.count(held), 1);
});
