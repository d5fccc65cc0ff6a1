import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { errorCodes, PROTOCOL } from '../../daemon/control/protocol.ts';
import type {
  CullReply,
  DownloadsReply,
  FetchReply,
  ListReply,
  LogLevelReply,
  PurgeReply,
  SourcesReply,
  StatsReply,
  StatusReply,
  TopReply,
  WhyReply,
} from '../../daemon/control/reports.ts';
import { open } from '../helpers/client.ts';
import { dialControl, paramsOf } from '../helpers/control.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { filesBelow, plant } from '../helpers/entries.ts';
import { bodyOf, gate, startOrigin } from '../helpers/origin.ts';
import { root } from '../helpers/process.ts';
import { share } from '../helpers/share.ts';

const body = bodyOf('package', 200_001);

const scene = share(test, async (t) => {
  const origin = await startOrigin(t);
  const spare = await startOrigin(t);
  origin.serve('*', (request) => {
    const name = request.target.split('?')[0] ?? '';
    return /missing/.test(name) ? { status: 404 } : { body };
  });
  const conf = { SOURCES_debian: spare.url, MAX_SIZE: '50G', MUTABLE: 'extra/*' };
  const daemon = await startDaemon(t, { sources: [origin.url, spare.url], conf });
  await plant(daemon.cacheDir, {
    'old/a': { size: 1000, days: 100 },
    'old/b': { size: 2000, days: 200 },
    'old/c[1].tar.gz': { size: 3000, days: 300 },
    'purge/by/glob/x.tar.xz': { size: 10, days: 1 },
    'purge/by/glob/y.tar.xz': { size: 20, days: 1 },
    'purge/one[1].tar.xz': { size: 30, days: 1 },
    'debian/dists/sid/InRelease': { size: 40, days: 1 },
    'list/big.tar.xz': { size: 5000, days: 1 },
    'list/small.tar.xz': { size: 50, days: 3 },
    'list/index': { size: 500, days: 2 },
  });
  return { origin, spare, daemon };
});

test('hello names the protocol, the version and the process', async (t) => {
  const { daemon } = scene();
  const { hello } = await dialControl(t, daemon.controlSocket);
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  t.deepEqual(hello, { protocol: PROTOCOL, version, pid: daemon.pid });
});

test('status tells what the daemon is and how it is doing', async (t) => {
  const { daemon, origin, spare } = scene();
  const control = await dialControl(t, daemon.controlSocket);
  const { reply } = await control.call<StatusReply>('status');
  t.like(reply, {
    pid: daemon.pid,
    configFile: daemon.confFile,
    addresses: [daemon.url],
    controlSocket: daemon.controlSocket,
    degraded: [],
  });
  t.true(Math.abs(reply.startedAt - Date.now()) < 120_000);
  t.deepEqual(
    reply.repositories.map(({ name, path, sources }) => [name, path, sources.map((s) => s.url)]),
    [
      ['', '/', [origin.url, spare.url]],
      ['debian', '/debian/', [spare.url]],
    ],
  );
  const { directory, maxSize, diskSize, diskFree, minFree, storing } = reply.cache;
  t.deepEqual([directory, maxSize, storing], [daemon.cacheDir, 50 * 1024 ** 3, true]);
  t.true(Number(diskSize) >= Number(diskFree) && Number(diskFree) > 0 && Number(minFree) > 0);
});

test('stats counts requests and bytes, and knows what is stored without looking', async (t) => {
  const { daemon } = scene();
  const control = await dialControl(t, daemon.controlSocket);
  const before = (await control.call<StatsReply>('stats')).reply;
  const target = '/distfiles/aa/stats.tar.xz';
  await daemon.get(target);
  await daemon.logged(/stored "distfiles\/aa\/stats/);
  await daemon.get(target);
  const asked = Date.now();
  const { reply } = await control.call<StatsReply>('stats');
  t.true(Date.now() - asked < 1000);
  const counted = (name: 'requests' | 'hits' | 'misses' | 'bytesServed') =>
    reply.sinceStart[name] - before.sinceStart[name];
  t.true(counted('requests') >= 2 && counted('hits') >= 1 && counted('misses') >= 1);
  t.true(counted('bytesServed') >= 2 * body.length);
  t.true(reply.lifetime.requests >= reply.sinceStart.requests);
  t.true(Number(reply.sinceStart.hitRatio) > 0 && Number(reply.sinceStart.hitRatio) < 1);
  const { bytesSaved, bytesServed, bytesFetched } = reply.sinceStart;
  t.is(bytesSaved, Math.max(0, bytesServed - bytesFetched));
  const sum = reply.ages.reduce((total, { entries }) => total + entries, 0);
  t.is(sum, reply.entries);
  t.deepEqual([reply.ages[0]?.from, reply.ages.at(-1)?.to], ['0', null]);
});

test('top is one frame of all that moves', async (t) => {
  const { daemon } = scene();
  const control = await dialControl(t, daemon.controlSocket);
  const { reply } = await control.call<TopReply>('top');
  t.true(Math.abs(reply.at - Date.now()) < 5000);
  t.deepEqual(
    ['counts', 'downloads', 'cache', 'clients'].filter((name) => !(name in reply)),
    [],
  );
});

test('ls lists what is stored, by path, by size and by last use', async (t) => {
  const { daemon } = scene();
  const control = await dialControl(t, daemon.controlSocket);
  const listed = async (params: object) => {
    const { rows, reply } = await control.call<ListReply>('ls', params);
    t.is(reply.entries, rows.length);
    return rows.map(({ path }) => path);
  };
  const [big, index, small] = ['list/big.tar.xz', 'list/index', 'list/small.tar.xz'];
  t.deepEqual(await listed({ path: 'list/*' }), [big, index, small]);
  t.deepEqual(await listed({ path: 'list/*', sort: 'size' }), [big, index, small]);
  t.deepEqual(await listed({ path: 'list/*', sort: 'used' }), [small, index, big]);
  t.true((await listed({})).length >= 5);
  const { rows } = await control.call('ls', { path: '{list,debian}/**' });
  const mutable = Object.fromEntries(rows.map((row) => [row.path, row.mutable]));
  t.like(mutable, { [big]: false, [index]: true, 'debian/dists/sid/InRelease': true });
  t.deepEqual((await control.call<ListReply>('ls', { path: 'nowhere/*' })).reply, {
    entries: 0,
    bytes: 0,
    failed: 0,
    problems: [],
  });
});

test.serial('a cull that is tried out lists what would go, and removes nothing', async (t) => {
  const { daemon } = scene();
  const control = await dialControl(t, daemon.controlSocket);
  const order = { olderThan: '90d', path: 'old/*', dryRun: true };
  const { reply, rows } = await control.call<CullReply>('cull', order);
  t.like(reply, { entries: 3, bytes: 6000, dryRun: true, failed: 0 });
  t.deepEqual(
    rows.map(({ path, size }) => [path, size]),
    [
      ['old/c[1].tar.gz', 3000],
      ['old/b', 2000],
      ['old/a', 1000],
    ],
  );
  t.true((await filesBelow(daemon.cacheDir)).includes('old/a'));
});

test.serial('a cull removes the least recently used, and tells how far it is', async (t) => {
  const { daemon } = scene();
  const control = await dialControl(t, daemon.controlSocket);
  const cull = (params: object) => control.call<CullReply>('cull', { path: 'old/*', ...params });
  const first = await cull({ olderThan: '150d', toSize: '5K' });
  t.like(first.reply, { entries: 2, bytes: 5000, dryRun: false });
  t.deepEqual(first.rows, []);
  const progress = first.notifications.find(({ method }) => method === 'progress');
  t.like(progress?.params, { entries: 2, bytes: 5000, total: 2 });
  const second = await cull({ toSize: '0', list: true });
  t.deepEqual(
    second.rows.map(({ path }) => path),
    ['old/a'],
  );
  t.false((await filesBelow(daemon.cacheDir)).some((path) => path.startsWith('old/')));
  const { error } = await cull({});
  t.is(error?.code, errorCodes.params);
});

test('purge removes a path, though it looks like a glob, and globs, and says what matched nothing', async (t) => {
  const { daemon } = scene();
  const control = await dialControl(t, daemon.controlSocket);
  const { reply, rows } = await control.call<PurgeReply>('purge', {
    patterns: ['purge/one[1].tar.xz', '/purge/by/**/*.tar.xz', 'purge/none', 'nowhere/*'],
  });
  t.like(reply, { entries: 3, bytes: 60, failed: 0, unmatched: ['purge/none', 'nowhere/*'] });
  t.is(rows.length, 3);
  t.false((await filesBelow(daemon.cacheDir)).some((path) => path.startsWith('purge/')));
});

test('what is purged is downloaded anew, and its record is gone', async (t) => {
  const { daemon, origin } = scene();
  const control = await dialControl(t, daemon.controlSocket);
  for (const target of ['/extra/renewed', '/distfiles/bb/renewed.tar.xz']) {
    await daemon.get(target);
    await daemon.logged(new RegExp(`stored "${target.slice(1)}"`));
    await control.call('purge', { patterns: [target] });
    const { reply } = await control.call<WhyReply>('why', { path: target });
    t.is(reply.entry, null);
    await daemon.get(target);
    t.is(origin.count(target), 2);
    t.is(
      origin.requests.find((one) => one.target === target)?.headerOf('if-none-match'),
      undefined,
    );
  }
});

test('a purge forgets that a file is missing everywhere', async (t) => {
  const { daemon, origin } = scene();
  const control = await dialControl(t, daemon.controlSocket);
  const target = '/distfiles/cc/missing.tar.xz';
  await daemon.get(target);
  const missing = async () => (await control.call<WhyReply>('why', { path: target })).reply.missing;
  t.true(await missing());
  const asked = origin.count(target);
  await daemon.get(target);
  t.is(origin.count(target), asked);
  const { reply } = await control.call<PurgeReply>('purge', { patterns: [target] });
  t.deepEqual(reply.unmatched, [target]);
  t.false(await missing());
});

test('fetch stores what is missing, leaves what is there, and says what failed and why', async (t) => {
  const { daemon, origin } = scene();
  const control = await dialControl(t, daemon.controlSocket);
  const there = 'distfiles/dd/there.tar.xz';
  await daemon.get(`/${there}`);
  await daemon.logged(/stored "distfiles\/dd\/there/);
  const paths = [
    there,
    '/distfiles/dd/plain+name%41.tar.xz',
    `${origin.url}distfiles/dd/by%20url.tar.xz`,
    'distfiles/dd/missing.tar.xz',
    'distfiles/dd/',
    '../escape',
  ];
  const { reply, rows } = await control.call<FetchReply>('fetch', { paths });
  t.deepEqual(reply, { stored: 2, present: 1, failed: 3, bytes: 2 * body.length });
  const outcomes = Object.fromEntries(rows.map((row) => [row.path, row]));
  t.deepEqual(
    paths.map((path) => outcomes[path]?.outcome),
    ['present', 'stored', 'stored', 'failed', 'failed', 'failed'],
  );
  t.regex(String(outcomes['distfiles/dd/missing.tar.xz']?.reason), /no source has it/);
  const files = await filesBelow(daemon.cacheDir);
  t.true(files.includes('distfiles/dd/plain+name%41.tar.xz'));
  t.true(files.includes('distfiles/dd/by url.tar.xz'));
});

test('downloads shows what is under way, and one can be given up', async (t) => {
  const { daemon, origin } = scene();
  const control = await dialControl(t, daemon.controlSocket);
  const path = 'distfiles/ee/slow.tar.xz';
  const held = gate();
  t.teardown(held.open);
  origin.serve(`/${path}`, { body, chunks: { gate: held, after: 50_000 } });
  const stream = open({ port: daemon.port, target: `/${path}`, t });
  await stream.read(50_000);
  const { reply } = await control.call<DownloadsReply>('downloads');
  const shown = reply.downloads.find((one) => one.path === path);
  t.like(shown, { state: 'streaming', source: origin.url, bytes: 50_000, length: body.length });
  t.is(shown?.clients, 1);
  t.true(Number(shown?.rate) > 0 && Number(shown?.eta) >= 0);
  const cancelled = await control.call<DownloadsReply>('downloads', { cancel: path });
  t.is(cancelled.reply.cancelled, path);
  t.false(cancelled.reply.downloads.some((one) => one.path === path));
  t.is((await stream.rest()).ended, 'reset');
  const again = await control.call('downloads', { cancel: path });
  t.like(again.error, { code: errorCodes.failed, data: { code: 'not-found' } });
});

test('sources tells of each one how it is doing and what it delivered', async (t) => {
  const { daemon, origin, spare } = scene();
  const control = await dialControl(t, daemon.controlSocket);
  await daemon.get('/distfiles/ff/sources.tar.xz');
  const { reply } = await control.call<SourcesReply>('sources');
  const [first, second] = reply.repositories[0]?.sources ?? [];
  t.like(first, { url: origin.url, state: 'works', reason: null, failures: 0, retryAt: null });
  t.true(Number(first?.latency) >= 0 && Number(first?.bytes) >= body.length);
  t.is(second?.url, spare.url);
});

test('why explains a stored package: by which rule it is never checked, and where it came from', async (t) => {
  const { daemon, origin, spare } = scene();
  const control = await dialControl(t, daemon.controlSocket);
  const key = 'distfiles/99/why.tar.xz';
  await daemon.get(`/${key}`);
  await daemon.logged(/stored "distfiles\/99\/why/);
  const { reply } = await control.call<WhyReply>('why', { path: `${daemon.url}${key}` });
  t.like(reply, { key, repository: '', pass: false, mutable: false, ruleFrom: 'built-in' });
  t.regex(reply.rule, /distfiles/);
  t.like(reply.entry, { file: join(daemon.cacheDir, key), size: body.length, checked: null });
  t.like(reply.last, { outcome: 'stored', source: origin.url, bytes: body.length, reason: null });
  t.deepEqual(
    reply.sources.map(({ asks }) => asks),
    [`${origin.url}${key}`, `${spare.url}${key}`],
  );
});

test('why explains a name that may change, one that is never stored, and one that is none', async (t) => {
  const { daemon, origin } = scene();
  const control = await dialControl(t, daemon.controlSocket);
  const why = async (path: string) => control.call<WhyReply>('why', { path });
  await daemon.get('/extra/why');
  await daemon.logged(/stored "extra\/why"/);
  const { reply } = await why('extra/why');
  t.like(reply, { mutable: true, rule: 'extra/*', ruleFrom: 'MUTABLE' });
  t.is(reply.entry?.source, origin.url);
  t.is(Number(reply.entry?.freshUntil) - Number(reply.entry?.checked), 60_000);
  t.true((await why('/distfiles/')).reply.pass);
  t.like((await why('debian/pool/a.deb')).reply, { repository: 'debian', entry: null, last: null });
  t.like((await why('a/../b')).error, { code: errorCodes.failed, data: { code: 'bad-request' } });
  const failed = await why('http://elsewhere.example/x');
  t.like(failed.error, { code: errorCodes.failed, data: { code: 'forbidden' } });
});

test('watch tells what happens, and of requests only when asked to', async (t) => {
  const { daemon } = scene();
  const [some, all] = [
    await dialControl(t, daemon.controlSocket),
    await dialControl(t, daemon.controlSocket),
  ];
  const target = '/distfiles/77/watched.tar.xz';
  const eventsOf = ({ messages }: typeof some) =>
    messages
      .flatMap((message) => (paramsOf(message).events ?? []) as { kind: string; thing: string }[])
      .filter(({ thing }) => thing.includes('watched'));
  some.write('{"jsonrpc":"2.0","id":1,"method":"watch"}');
  all.write('{"jsonrpc":"2.0","id":1,"method":"watch","params":{"requests":true}}');
  // Messages of one connection are read in order: what follows is answered once they watch.
  await Promise.all([some.call('log-level'), all.call('log-level')]);
  await daemon.get(target);
  await daemon.get(target);
  const has = (control: typeof some, kind: string) => () =>
    eventsOf(control).some((event) => event.kind === kind);
  if (!has(some, 'stored')()) await some.next(has(some, 'stored'));
  t.deepEqual(
    eventsOf(some).map(({ kind }) => kind),
    ['download', 'stored'],
  );
  const twice = () => eventsOf(all).filter(({ kind }) => kind === 'request').length === 2;
  if (!twice()) await all.next(twice);
  t.true(twice());
});

test.serial('log-level shows and changes what the log tells, until the next reload', async (t) => {
  const { daemon } = scene();
  const control = await dialControl(t, daemon.controlSocket);
  const level = async (params?: object) =>
    (await control.call<LogLevelReply>('log-level', params)).reply;
  t.deepEqual(await level(), { level: 'info', former: 'info' });
  t.deepEqual(await level({ level: 'debug' }), { level: 'debug', former: 'info' });
  t.is((await control.call<StatusReply>('status')).reply.logLevel, 'debug');
  await control.call('reload');
  t.deepEqual(await level(), { level: 'info', former: 'info' });
});
