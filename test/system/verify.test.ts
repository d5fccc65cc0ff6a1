import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { VerifyReply } from '../../daemon/control/content-reports.ts';
import type { StatsReply, StatusReply } from '../../daemon/control/reports.ts';
import { distfilePath } from '../../daemon/gentoo/distfile.ts';
import { here } from '../ctl/here.ts';
import { dialControl, paramsOf } from '../helpers/control.ts';
import { type Daemon, startDaemon } from '../helpers/daemon.ts';
import { filesBelow } from '../helpers/entries.ts';
import { canInject, injectAt } from '../helpers/inject.ts';
import { bodyOf } from '../helpers/origin.ts';
import { body, exists, openContent, rotten, shortHash } from './content.ts';

const names = ['a.tar.xz', 'b.tar.xz', 'c.tar.xz'];
const reason = `expected BLAKE2B ${shortHash(body)}, found ${shortHash(rotten)}`;

function ask({ controlSocket }: Daemon, ...args: readonly string[]) {
  return here(args, { socket: controlSocket, now: Date.now });
}

function quarantined({ cacheDir }: Daemon): Promise<string[]> {
  return filesBelow(join(cacheDir, '.package-cache/quarantine'));
}

test('verify tells which files are wrong, exits 1, and leaves them where they are', async (t) => {
  const { daemon, origin, stored } = await openContent(t, {
    named: names,
    stored: { 'a.tar.xz': body, 'b.tar.xz': rotten, 'c.tar.xz': 'short', 'unnamed.tar.xz': 'x' },
  });
  const { code, out, err } = await ask(daemon, 'verify');
  t.is(code, 1);
  t.true(out.includes(`wrong       195K  ${distfilePath('b.tar.xz')}: ${reason}\n`), out);
  t.true(
    out.includes(`wrong         5B  ${distfilePath('c.tar.xz')}: expected 200001 bytes, found 5\n`),
  );
  t.true(out.endsWith('Verified 1 file, 195K; 2 were wrong; no Manifest names 1 other.\n'), out);
  t.is(err, 'package-cache-ctl: 2 files were not what the Manifests say\n');
  t.true((await stored('b.tar.xz')).equals(rotten));
  t.deepEqual(origin.requests, []);
  const { out: said } = await ask(daemon, 'status');
  t.regex(
    said,
    /2 files were not what the Manifests say, .+ ago; package-cache-ctl verify --repair/,
  );
});

test('verify exits 0 when all is right, and stats tells of it', async (t) => {
  const { daemon } = await openContent(t, { named: names, stored: { 'a.tar.xz': body } });
  const before = await ask(daemon, 'stats', '--json');
  t.is((JSON.parse(before.out) as StatsReply).verification, null);
  const { code, out } = await ask(daemon, 'verify', '--json');
  t.is(code, 0);
  t.deepEqual(JSON.parse(out), {
    rows: [],
    verified: 1,
    bytes: body.length,
    wrong: 0,
    repaired: 0,
    unknown: 0,
    failed: 0,
    problems: [],
  });
  await daemon.logged(/verified 1 file \(195K\): nothing is wrong$/);
  await daemon.restart();
  const after = JSON.parse((await ask(daemon, 'stats', '--json')).out) as StatsReply;
  t.like(after.verification, { entries: 1, bytes: body.length, wrong: 0, repaired: 0 });
  t.true(Math.abs(Date.now() - (after.verification?.at ?? 0)) < 60_000);
});

test('verify --repair replaces what is wrong, from a source, and keeps it in quarantine', async (t) => {
  const { daemon, origin, stored } = await openContent(t, {
    named: names,
    stored: { 'a.tar.xz': body, 'b.tar.xz': rotten, 'c.tar.xz': 'short' },
  });
  const path = distfilePath('b.tar.xz');
  // What is at hand of it must not be served any more either.
  t.true((await daemon.get(`/${path}`)).body.equals(rotten));
  const control = await dialControl(t, daemon.controlSocket);
  const { reply, rows } = await control.call<VerifyReply>('verify', { repair: true });
  t.like(reply, { verified: 1, wrong: 2, repaired: 2, failed: 0 });
  const row = rows.find((each) => each.path === path);
  t.deepEqual(row, { path, size: body.length, reason, outcome: 'repaired', failure: null });
  const answer = await daemon.get(`/${path}`);
  t.true(answer.body.equals(body));
  t.regex(answer.header('cache-status') ?? '', /; hit/);
  t.true((await stored('c.tar.xz')).equals(body));
  t.is(origin.count(`/${path}`), 1);
  t.deepEqual(await quarantined(daemon), [path, distfilePath('c.tar.xz')].toSorted());
  await daemon.logged(new RegExp(`wrong "${path}": expected BLAKE2B .*; it is in quarantine$`));
  const { reply: status } = await control.call<StatusReply>('status');
  t.deepEqual(status.degraded, []);
  t.is((await ask(daemon, 'verify', '--repair')).code, 0);
});

test('what cannot be fetched anew is not served, and the next request tries again', async (t) => {
  const { daemon, origin } = await openContent(t, {
    named: names,
    stored: { 'b.tar.xz': rotten },
  });
  const path = distfilePath('b.tar.xz');
  origin.serve(`/${path}`, { status: 404 });
  const { code, out } = await ask(daemon, 'verify', '--repair');
  t.is(code, 1);
  t.regex(
    out,
    /^failed +195K {2}distfiles\S+: .*; it is in quarantine, and was not fetched anew: .*404/,
  );
  t.is((await daemon.get(`/${path}`)).status, 404);
  t.false(await exists(join(daemon.cacheDir, path)));
  t.deepEqual(await quarantined(daemon), [path]);
  t.is((await daemon.get(`/.package-cache/quarantine/${path}`)).status, 404);
  origin.serve(`/${path}`, { body });
  const control = await dialControl(t, daemon.controlSocket);
  await control.call('purge', { patterns: [path] });
  t.true((await daemon.get(`/${path}`)).body.equals(body));
});

test('what a source has is not stored when it is wrong as well', async (t) => {
  const { daemon, origin } = await openContent(t, { named: names, stored: { 'b.tar.xz': rotten } });
  const path = distfilePath('b.tar.xz');
  origin.serve(`/${path}`, { body: bodyOf('something else', body.length) });
  const { code, out } = await ask(daemon, 'verify', '--repair');
  t.is(code, 1);
  t.regex(out, /^failed /);
  t.false(await exists(join(daemon.cacheDir, path)));
});

test('a file that the disk has lost is as wrong as any', async (t) => {
  if (!canInject(t)) return;
  const { daemon } = await openContent(t, { named: names, stored: { 'a.tar.xz': body } });
  const path = join(daemon.cacheDir, distfilePath('a.tar.xz'));
  await injectAt(t, { pid: daemon.pid, path }, 'pread64:error=EIO');
  const { code, out } = await ask(daemon, 'verify');
  t.is(code, 1);
  t.regex(out, /^wrong +195K {2}distfiles\S+: it cannot be read: EIO/);
});

test('only what matches is verified, and a rate that reads nothing is refused', async (t) => {
  const { daemon } = await openContent(t, {
    named: names,
    stored: { 'a.tar.xz': body, 'b.tar.xz': rotten },
  });
  const { code, out } = await ask(daemon, 'verify', '--rate', '50M', '**/a.*');
  t.is(code, 0);
  t.is(out, 'Verified 1 file, 195K; nothing was wrong.\n');
  const odd = await ask(daemon, 'verify', '--rate', '0');
  t.is(odd.code, 2);
  t.regex(odd.err, /--rate/);
});

test('without Manifests nothing can be verified, and the error says what to set', async (t) => {
  const daemon = await startDaemon(t);
  const { code, err } = await ask(daemon, 'verify');
  t.is(code, 1);
  t.regex(err, /no Manifests are known; name a Gentoo repository in MANIFESTS, such as/);
});

test('a long verification tells how far it is, has no other beside it, and ends with its client', async (t) => {
  const { daemon } = await openContent(t, {
    named: names,
    stored: { 'a.tar.xz': body, 'b.tar.xz': rotten },
  });
  const [slow, other] = [
    await dialControl(t, daemon.controlSocket),
    await dialControl(t, daemon.controlSocket),
  ];
  const params = { rate: '1K' };
  slow.write(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'verify', params }));
  const progress = await slow.next(({ method }) => method === 'progress');
  t.like(paramsOf(progress), { entries: 0, bytes: 0, total: 2, totalBytes: 2 * body.length });
  const refused = await other.call('verify');
  t.is(refused.error?.data?.code, 'busy');
  slow.close();
  await slow.closed;
  // Only the next one tells that the first is over.
  let last = refused;
  while (last.error?.data?.code === 'busy') last = await other.call('verify');
  t.like(last.reply, { verified: 1, wrong: 1 });
});

test('a daemon that is told to stop does not wait for a verification', async (t) => {
  const { daemon } = await openContent(t, { named: names, stored: { 'a.tar.xz': body } });
  const slow = await dialControl(t, daemon.controlSocket);
  slow.write(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'verify', params: { rate: '1K' } }));
  await slow.next(({ method }) => method === 'progress');
  t.is((await daemon.stop()).code, 0);
});

test('an entry that is replaced while it is verified is left alone', async (t) => {
  const { daemon, stored } = await openContent(t, { named: names, stored: { 'a.tar.xz': rotten } });
  const path = join(daemon.cacheDir, distfilePath('a.tar.xz'));
  const control = await dialControl(t, daemon.controlSocket);
  const params = { rate: '50K', repair: true };
  control.write(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'verify', params }));
  // Seconds before all of it is read.
  await control.next((each) => Number(paramsOf(each).bytes) > 0);
  writeFileSync(`${path}.new`, body);
  renameSync(`${path}.new`, path);
  const answer = await control.next(({ id }) => id === 1);
  t.like(answer.result as VerifyReply, { wrong: 0, repaired: 0 });
  t.true((await stored('a.tar.xz')).equals(body));
  t.deepEqual(await quarantined(daemon), []);
});
