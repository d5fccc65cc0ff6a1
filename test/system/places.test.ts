import test, { type ExecutionContext } from 'ava';
import { open } from '../helpers/client.ts';
import { dialControl } from '../helpers/control.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { type Answer, bodyOf, gate, startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { openRepositories, type Repository } from './repositories.ts';

const body = bodyOf('package', 300_001);
const big = { generate: { seed: 'big', size: 64 * 1024 ** 2 } };
const path = 'distfiles/aa/odd.tar.xz';

/** Of each repository the one source has one place for downloads. */
const conf = { MAX_FILLS_PER_SOURCE: '1', MUTABLE_TTL: '0', NEGATIVE_TTL: '0' };

interface Scene {
  readonly t: ExecutionContext;
  readonly port: number;
  readonly repository: Repository;
}

/** Reads the beginning of what it asks for, and leaves. */
async function leave({ t, port, repository }: Scene, path: string): Promise<void> {
  const stream = open({ port, target: `/${repository.name}/${path}`, t });
  await stream.read(1000);
  stream.destroy();
}

/** What may become of a request to a source. */
const fates: readonly (readonly [what: string, script: Answer, ask?: (scene: Scene) => unknown])[] =
  [
    ['a body with a length', { body }],
    ['a chunked body', { body, length: 'chunked' }],
    ['a body that the end of the connection ends', { body, length: 'none' }],
    ['404', { status: 404 }],
    ['404 with a long page', { status: 404, body }],
    ['500', { status: 500 }],
    ['a page of HTML', { body: 'text', fields: [['Content-Type', 'text/html']] }],
    ['no head', { raw: '' }],
    ['no HTTP', { raw: 'garbage\r\n\r\n' }],
    ['an empty body', { body: '' }],
    ['an empty chunked body', { body: '', length: 'chunked' }],
    ['a body that is cut', { body, cutAfter: 200_000 }],
    ['a body that is reset', { body, resetAfter: 200_000 }],
    ['a body without its last chunk', { body, dropChunkEnd: true }],
    ['a body that is longer than it said', { body, length: 1000 }],
    ['a redirection', { status: 302, fields: [['Location', '/elsewhere.tar.xz']] }],
    ['a redirection with a long page', { status: 302, body, fields: [['Location', '/x.tar.xz']] }],
    ['a redirection in a circle', { status: 302, fields: [['Location', `/${path}`]] }],
    ['a redirection to nowhere', { status: 302, fields: [['Location', 'ftp://nowhere/']] }],
    ['a head alone', { body }, ({ repository }) => repository.get(path, { method: 'HEAD' })],
    [
      'a range',
      { body },
      ({ repository }) => repository.get(path, { fields: [['Range', 'bytes=9-']] }),
    ],
    ['what is passed on', { body }, ({ repository }) => repository.get(`${path}?query`)],
    ['a client that leaves a download', { body }, (scene) => leave(scene, path)],
    ['a client that leaves what is passed on', big, (scene) => leave(scene, `${path}?query`)],
  ];

const names = fates.map((_, at) => `fate_${at}`);
const shared = share(test, (t) =>
  openRepositories(t, Object.fromEntries(names.map((name) => [name, ['origin'] as const])), conf),
);

for (const [at, [what, script, ask]] of fates.entries()) {
  test(`${what} gives its place at the source back`, async (t) => {
    const { daemon, of } = shared();
    const repository = of[`fate_${at}`];
    if (repository === undefined) return t.fail();
    const [origin] = repository.origins;
    origin.serve('*', 'a package');
    origin.serve(path, script);
    for (const time of [1, 2]) {
      await (ask?.({ t, port: daemon.port, repository }) ?? repository.get(path));
      const next = await repository.get(`distfiles/aa/next-${time}.tar.xz`);
      t.is(next.status, 200, String(next.body));
    }
  });
}

const target = `/${path}`;

/** A daemon of its own, with one source. */
async function openAlone(t: ExecutionContext) {
  const origin = await startOrigin(t, { files: { '*': 'a package' } });
  return { origin, daemon: await startDaemon(t, { sources: [origin.url], conf }) };
}

for (const [what, name, method] of [
  ['passed on', `${target}?query`, 'GET'],
  ['asked for alone', target, 'HEAD'],
] as const) {
  test(`a client that leaves before what is ${what} is there gives its place back at once`, async (t) => {
    const { origin, daemon } = await openAlone(t);
    const held = gate();
    t.teardown(held.open);
    origin.serve(target, { body, delayHead: held });
    const stream = open({ port: daemon.port, target: name, method, t });
    await held.reached;
    // It waits for a place, and leaves as well.
    const second = open({ port: daemon.port, target: name, method, t });
    stream.reset();
    second.reset();
    t.is((await daemon.get('/distfiles/aa/next.tar.xz')).status, 200);
  });
}

test('a check that finds a copy unchanged, and one that finds it changed, give theirs back', async (t) => {
  const { origin, daemon } = await openAlone(t);
  const name = '/snapshots/index';
  origin.serve(name, 'old');
  await daemon.get(name);
  await daemon.logged(/stored "snapshots\/index"/);
  await daemon.get(name);
  origin.serve(name, { body: 'changed', lastModified: new Date() });
  t.is(String((await daemon.get(name)).body), 'changed');
  t.is((await daemon.get('/distfiles/aa/next.tar.xz')).status, 200);
});

test('what there is no room for, whole or in part, gives its place back before it takes another', async (t) => {
  const origin = await startOrigin(t, { files: { '*': { body } } });
  const sources = [origin.url];
  const daemon = await startDaemon(t, { sources, conf: { ...conf, MIN_FREE: '99%' } });
  for (const ranges of ['', 'bytes=1000-', '', 'bytes=10-19,1000-1009', 'bytes=0-9']) {
    const fields: [string, string][] = ranges === '' ? [] : [['Range', ranges]];
    const answer = await daemon.get(target, { fields });
    t.is(answer.status, ranges === '' ? 200 : 206);
    t.regex(answer.header('cache-status') ?? '', /detail=min-free/);
    t.is(answer.ended, 'complete');
  }
});

test('a fetch that is called off gives its place back', async (t) => {
  const { origin, daemon } = await openAlone(t);
  origin.serve(target, { body, stallAfter: 1000 });
  const control = await dialControl(t, daemon.controlSocket);
  control.write(
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'fetch', params: { paths: [target] } }),
  );
  await origin.arrived(target);
  control.close();
  t.is((await daemon.get('/distfiles/aa/next.tar.xz')).status, 200);
});

test('whoever loses to a faster source gives its place back', async (t) => {
  const held = gate();
  const slow = await startOrigin(t, { files: { '*': { body, delayHead: held } } });
  const fast = await startOrigin(t, { files: { '*': { body } } });
  const sources = [slow.url, fast.url];
  const daemon = await startDaemon(t, { sources, conf: { ...conf, HEDGE_AFTER: '100ms' } });
  t.is((await daemon.get('/a.tar.xz')).status, 200);
  held.open();
  await fast.stop();
  t.is((await daemon.get('/b.tar.xz')).status, 200);
});

test('a source that has no place makes downloads wait, and none is turned away', async (t) => {
  const origin = await startOrigin(t, { files: { '*': { body } } });
  const held = gate();
  origin.serve(target, { body, chunks: { gate: held, after: 1000 } });
  const daemon = await startDaemon(t, { sources: [origin.url], conf });
  const first = open({ port: daemon.port, target, t });
  await first.read(1000);
  const names = Array.from({ length: 20 }, (_, at) => `/distfiles/aa/more-${at}.tar.xz`);
  const others = names.map((name) => daemon.get(name));
  // A question for a head has a place of its own.
  t.is((await daemon.get('/distfiles/aa/head.tar.xz', { method: 'HEAD' })).status, 200);
  for (const name of names) t.is(origin.count(name), 0);
  held.open();
  for (const answer of await Promise.all(others)) t.true(answer.body.equals(body));
  t.is((await first.rest()).ended, 'complete');
  t.deepEqual(
    daemon.log().filter((line) => line.includes('set aside')),
    [],
  );
});

test('a source that has no place sends downloads to the next one', async (t) => {
  const [near, far] = [await startOrigin(t), await startOrigin(t, { files: { '*': { body } } })];
  const held = gate();
  t.teardown(held.open);
  near.serve('*', { body });
  near.serve(target, { body, chunks: { gate: held, after: 1000 } });
  const sources = [near.url, far.url];
  const daemon = await startDaemon(t, { sources, conf: { ...conf, HEDGE_AFTER: '200ms' } });
  const first = open({ port: daemon.port, target, t });
  await first.read(1000);
  t.true((await daemon.get('/b.tar.xz')).body.equals(body));
  t.is(near.count('/b.tar.xz'), 0);
  t.is(far.count('/b.tar.xz'), 1);
});

test('with no place and no room in the queue a client is told 503', async (t) => {
  const held = gate();
  const script = { body, chunks: { gate: held, after: 1000 } };
  const origin = await startOrigin(t, { files: { '*': script } });
  const sources = [origin.url];
  const daemon = await startDaemon(t, { sources, conf: { ...conf, MAX_QUEUE: '1' } });
  const first = open({ port: daemon.port, target, t });
  await first.read(1000);
  // Whoever comes first waits, the other is told at once.
  const both = ['/a.tar.xz', '/b.tar.xz'].map((name) => daemon.get(name));
  for (const refused of [await Promise.race(both), await daemon.get('/c.tar.xz?query')]) {
    t.is(refused.status, 503);
    t.is(refused.header('retry-after'), '5');
    t.is(refused.header('cache-status'), 'package-cache; detail=busy');
    t.regex(String(refused.body), /MAX_FILLS_PER_SOURCE.*MAX_QUEUE/);
  }
  held.open();
  const statuses = (await Promise.all(both)).map(({ status }) => status);
  t.deepEqual(statuses.toSorted(), [200, 503]);
  t.is((await daemon.get('/d.tar.xz')).status, 200);
});

test('a copy whose check has no place is served as it is', async (t) => {
  const { origin, daemon } = await openAlone(t);
  const name = '/snapshots/index';
  await daemon.get(name);
  await daemon.logged(/stored "snapshots\/index"/);
  const held = gate();
  t.teardown(held.open);
  origin.serve(target, { body, chunks: { gate: held, after: 1000 } });
  origin.serve('/distfiles/aa/head.tar.xz', { body, delayHead: held });
  const first = open({ port: daemon.port, target, t });
  await first.read(1000);
  const head = { port: daemon.port, target: '/distfiles/aa/head.tar.xz', method: 'HEAD', t };
  open(head);
  await held.reached;
  const answer = await daemon.get(name);
  t.is(String(answer.body), 'a package');
  t.regex(answer.header('cache-status') ?? '', /fwd=stale/);
  t.is(origin.count(name), 1);
});
