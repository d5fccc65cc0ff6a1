import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import test from 'ava';
import { createLayout } from '../../daemon/cache/layout.ts';
import type {
  CullReply,
  ListReply,
  PurgeReply,
  StatsReply,
  StatusReply,
  TopReply,
  WhyReply,
} from '../../daemon/control/reports.ts';
import { errorCodes, PROTOCOL } from '../../daemon/control/wire.ts';
import { open } from '../helpers/client.ts';
import { dialControl } from '../helpers/control.ts';
import { filesBelow } from '../helpers/entries.ts';
import { gate } from '../helpers/origin.ts';
import { root } from '../helpers/process.ts';
import { share } from '../helpers/share.ts';
import { body, openScene } from './scene.ts';

const scene = share(test, openScene);

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

test('status tells what the daemon holds of the machine, for whoever looks for a leak', async (t) => {
  const { daemon } = scene();
  const control = await dialControl(t, daemon.controlSocket);
  const { process } = (await control.call<StatusReply>('status')).reply;
  const rss = (await daemon.rssKb()) * 1024;
  t.true(Math.abs(process.rss - rss) < rss / 4);
  t.true(process.heapUsed > 0 && process.heapUsed < process.rss);
  t.true(process.external > 0 && process.external < process.rss);
  t.true(Number(process.resources.TCPServerWrap) >= 1 && Number(process.resources.Timeout) >= 1);
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

test('a purge drops what is left of a download, by its path and by a glob', async (t) => {
  const { daemon, origin, spare } = scene();
  const control = await dialControl(t, daemon.controlSocket);
  for (const [name, pattern] of [
    ['a', '/distfiles/ee/a.tar.xz'],
    ['b', 'distfiles/ee/b.*'],
  ] as const) {
    const key = `distfiles/ee/${name}.tar.xz`;
    for (const source of [origin, spare]) {
      source.serve(`/${key}`, { body, cutAfter: 100_000, ranges: false });
    }
    t.is((await daemon.get(`/${key}`)).ended, 'reset');
    await daemon.logged(new RegExp(`Cannot fetch "${key}": the body broke off`));
    const purge = async () =>
      (await control.call<PurgeReply>('purge', { patterns: [pattern] })).reply;
    let reply = await purge();
    // Until its record is written, the download that failed is still at it.
    for (; reply.partials === 0; reply = await purge()) t.deepEqual(reply.unmatched, [pattern]);
    t.like(reply, { entries: 0, partials: 1, unmatched: [] });
    const { partial, partialFolder } = createLayout(daemon.cacheDir);
    const left = await readdir(partialFolder);
    t.deepEqual(
      left.filter((name) => name.startsWith(basename(partial(key)))),
      [],
    );
    origin.serve(`/${key}`, { body });
    t.true((await daemon.get(`/${key}`)).body.equals(body));
    t.is(origin.requests.at(-1)?.headerOf('range'), undefined);
  }
});

test('a purge lets a download that is under way end, and what it stores stay', async (t) => {
  const { daemon, origin } = scene();
  const control = await dialControl(t, daemon.controlSocket);
  const target = '/distfiles/ee/running.tar.xz';
  const held = gate();
  origin.serve(target, { body, chunks: { gate: held, after: 100_000 } });
  const stream = open({ port: daemon.port, target, t });
  await stream.read(100_000);
  const { reply } = await control.call<PurgeReply>('purge', { patterns: [target] });
  t.like(reply, { entries: 0, partials: 0, unmatched: [target] });
  held.open();
  t.is((await stream.rest()).ended, 'complete');
  await daemon.logged(/stored "distfiles\/ee\/running/);
  t.is((await daemon.get(target)).header('cache-status'), 'package-cache; hit');
});
