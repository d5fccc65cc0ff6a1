import { mkdir } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import type { WhyReply } from '../../daemon/control/reports.ts';
import { open } from '../helpers/client.ts';
import { type Daemon, startDaemon } from '../helpers/daemon.ts';
import { filesBelow, plant } from '../helpers/entries.ts';
import { tempDir } from '../helpers/files.ts';
import { gate } from '../helpers/gate.ts';
import { bodyOf, startOrigin } from '../helpers/origin.ts';
import { launch, root, run } from '../helpers/process.ts';
import { here } from './here.ts';

const body = bodyOf('package', 100_000);

/** A daemon with entries of many ages. */
async function aged(t: ExecutionContext): Promise<Daemon> {
  const cacheDir = `${await tempDir(t)}/cache`;
  await mkdir(cacheDir);
  await plant(cacheDir, {
    'distfiles/ab/new.tar.xz': { size: 1000, days: 1 },
    'distfiles/ab/old.tar.xz': { size: 2000, days: 100 },
    'distfiles/cd/older.tar.xz': { size: 3000, days: 400 },
  });
  return startDaemon(t, { cacheDir });
}

function ask({ controlSocket }: Daemon, ...args: readonly string[]) {
  return here(args, { socket: controlSocket, now: Date.now });
}

async function askJson(daemon: Daemon, ...args: readonly string[]) {
  const { out, err } = await ask(daemon, ...args, '--json');
  if (err !== '') throw new Error(err);
  return JSON.parse(out);
}

test('status tells where the daemon is, and ends with 3 once it is not', async (t) => {
  const daemon = await startDaemon(t, { sources: ['http://127.0.0.1:9/'] });
  const { code, out } = await ask(daemon, 'status');
  t.is(code, 0);
  t.regex(out, new RegExp(`^ {2}up since .* pid ${daemon.pid}$`, 'm'));
  t.true(out.includes(daemon.confFile) && out.includes(daemon.cacheDir));
  t.true(out.includes(`listening on    ${daemon.url}\n`));
  t.regex(out, /^ {2}\/ +http:\/\/127\.0\.0\.1:9\/ +not asked yet$/m);
  await daemon.stop();
  const stopped = await ask(daemon, 'status', '--quiet');
  t.is(stopped.code, 3);
  t.true(stopped.err.includes(daemon.controlSocket));
});

test('stats counts what was served, and where it came from', async (t) => {
  const origin = await startOrigin(t, { files: { '/a.tar.xz': body } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  await daemon.get('/a.tar.xz');
  await daemon.logged(/stored "a\.tar\.xz"/);
  for (let time = 0; time < 3; time += 1) await daemon.get('/a.tar.xz');
  const reply = await askJson(daemon, 'stats');
  t.like(reply.sinceStart, { requests: 4, hits: 3, misses: 1, hitRatio: 0.75, fills: 1 });
  t.like(reply.sinceStart, { bytesServed: 400_000, bytesFetched: 100_000, bytesSaved: 300_000 });
  const { out } = await ask(daemon, 'stats');
  t.regex(out, /^hit ratio by requests +75\.0 % +75\.0 %$/m);
  t.regex(out, /^Stored {2}1 file, 97\.7K/m);
});

test('ls lists what is stored, in the order that was asked for', async (t) => {
  const daemon = await aged(t);
  const paths = async (...args: string[]) =>
    (await askJson(daemon, 'ls', ...args)).rows.map(({ path }: { path: string }) => path);
  const all = ['distfiles/ab/new.tar.xz', 'distfiles/ab/old.tar.xz', 'distfiles/cd/older.tar.xz'];
  t.deepEqual(await paths(), all);
  t.deepEqual(await paths('--sort', 'used'), all.toReversed());
  t.deepEqual(await paths('**/new*'), all.slice(0, 1));
  const { out } = await ask(daemon, 'ls', '--sort', 'size');
  t.regex(out, /PATH\n +2\.9K +400d ago {2}immutable {2}distfiles\/cd\/older\.tar\.xz\n/);
  t.true(out.endsWith('\n3 files, 5.9K\n'));
});

test('cull --dry-run lists what would go, and cull removes just that', async (t) => {
  const daemon = await aged(t);
  const dry = await ask(daemon, 'cull', '--older-than', '90d', '--dry-run');
  t.is(dry.code, 0);
  t.regex(dry.out, /400d ago {2}distfiles\/cd\/older\.tar\.xz\n.*100d ago {2}.*old\.tar\.xz\n/);
  t.true(dry.out.endsWith('Would remove 2 files, 4.9K.\n'));
  t.is((await filesBelow(daemon.cacheDir)).length, 3);
  const { out } = await ask(daemon, 'cull', '--older-than', '90d');
  t.is(out, 'Removed 2 files, 4.9K.\n');
  t.deepEqual(await filesBelow(daemon.cacheDir), ['distfiles/ab/new.tar.xz']);
});

test('cull wants an age or a size, and one that can be read', async (t) => {
  const daemon = await startDaemon(t);
  const nothing = await ask(daemon, 'cull');
  t.is(nothing.code, 2);
  t.regex(nothing.err, /--older-than AGE, --to-size SIZE/);
  const odd = await ask(daemon, 'cull', '--older-than', '9x');
  t.is(odd.code, 2);
  t.regex(odd.err, /--older-than.*9x.*such as 90d\n$/);
});

test('downloads shows one that runs, and --cancel gives it up', async (t) => {
  const middle = gate();
  const files = { '/a.tar.xz': { body, chunks: { gate: middle, after: 25_000 } } };
  const origin = await startOrigin(t, { files });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const getting = open({ port: daemon.port, target: '/a.tar.xz', t });
  await getting.read(25_000);
  const { out } = await ask(daemon, 'downloads');
  const host = new URL(origin.url).host;
  t.regex(out, new RegExp(`^ *25 % +24\\.4K +97\\.7K .* 1 +${host} +a\\.tar\\.xz$`, 'm'));
  const cancelled = await ask(daemon, 'downloads', '--cancel', 'a.tar.xz');
  t.is(cancelled.out, 'Gave up the download of a.tar.xz.\nNothing is being downloaded.\n');
  t.is((await getting.rest()).ended, 'reset');
  const again = await ask(daemon, 'downloads', '--cancel', 'a.tar.xz');
  t.is(again.code, 1);
  t.regex(again.err, /Cannot .*"a\.tar\.xz"/);
  middle.open();
});

test('fetch prefetches from a list, and tells what there is not', async (t) => {
  const origin = await startOrigin(t, { files: { '/a.tar.xz': body, '/b.tar.xz': body } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  await daemon.get('/a.tar.xz');
  await daemon.logged(/stored "a\.tar\.xz"/);
  const { code, out } = await here(['fetch', '-'], {
    socket: daemon.controlSocket,
    stdin: 'a.tar.xz\nb.tar.xz\nc.tar.xz\n',
  });
  t.is(code, 1);
  t.regex(out, /^present +97\.7K {2}a\.tar\.xz$/m);
  t.regex(out, /^stored +97\.7K {2}b\.tar\.xz$/m);
  t.regex(out, /^failed +- {2}c\.tar\.xz: .*404/m);
  t.true(out.endsWith('\nFetched 1 file, 97.7K; 1 was there already; 1 failed.\n'));
  t.is(origin.count('/b.tar.xz'), 1);
});

test('why tells how a path is classified, and what is stored under it', async (t) => {
  const origin = await startOrigin(t, { files: { '/distfiles/ab/a.tar.xz': body } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  await daemon.get('/distfiles/ab/a.tar.xz');
  await daemon.logged(/stored "distfiles/);
  const reply: WhyReply = await askJson(daemon, 'why', 'distfiles/ab/a.tar.xz');
  t.like(reply, { key: 'distfiles/ab/a.tar.xz', mutable: false, ruleFrom: 'built-in' });
  t.is(reply.entry?.size, body.length);
  const { out } = await ask(daemon, 'why', '/distfiles/layout.conf');
  t.regex(out, /^ {2}kind +mutable, /m);
  t.regex(out, /^ {2}stored +no$/m);
  t.regex(out, new RegExp(`^ {2}1\\. +${origin.url}distfiles/layout\\.conf +works$`, 'm'));
});

test('purge removes what is named, and fails when nothing is', async (t) => {
  const daemon = await aged(t);
  const { code, out } = await ask(daemon, 'purge', '/distfiles/ab/new.tar.xz', '**/older*');
  t.is(code, 0);
  t.true(out.endsWith('\nRemoved 2 files, 3.9K.\n'));
  t.deepEqual(await filesBelow(daemon.cacheDir), ['distfiles/ab/old.tar.xz']);
  const none = await ask(daemon, 'purge', '**/older*');
  t.is(none.code, 1);
  t.regex(none.err, /"\*\*\/older\*": nothing stored matches/);
});

test('reload tells what changed, and a bad file names its line and changes nothing', async (t) => {
  const daemon = await startDaemon(t, { conf: { MUTABLE_TTL: '1m' } });
  t.regex((await ask(daemon, 'reload')).out, /; nothing has changed\.\n$/);
  await daemon.configure({ MUTABLE_TTL: '2m', MAX_FILLS: '3', PORT: '1' });
  const { out } = await ask(daemon, 'reload');
  t.regex(out, /^In force now: MUTABLE_TTL, MAX_FILLS\.$/m);
  await daemon.configure({ MUTABEL_TTL: '2m' });
  const bad = await ask(daemon, 'reload');
  t.is(bad.code, 1);
  t.regex(bad.err, /line \d.*MUTABEL_TTL.*did you mean MUTABLE_TTL/);
});

test('log-level shows the level and changes it, until the next reload', async (t) => {
  const daemon = await startDaemon(t);
  t.is((await ask(daemon, 'log-level')).out, 'The log level is info.\n');
  t.is((await ask(daemon, 'log-level', 'warn')).out, 'The log level is warn; it was info.\n');
  t.is((await ask(daemon, 'log-level')).out, 'The log level is warn.\n');
});

test('watch tells of a download while it happens, through the real program', async (t) => {
  const origin = await startOrigin(t, { files: { '/a.tar.xz': body } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  let stored: string | undefined;
  const watching = launch(process.execPath, {
    args: [`${root}/ctl/main.ts`, '--socket', daemon.controlSocket, 'watch', '--requests'],
    onLine: (line) => {
      if (/^\S+ {2}stored /.test(line)) stored ??= line;
    },
  });
  t.teardown(() => watching.exitWithin(0));
  // Nothing tells from outside that it listens: whoever asks again and again is seen.
  while (stored === undefined) {
    await daemon.get('/a.tar.xz');
    await ask(daemon, 'purge', 'a.tar.xz');
  }
  t.regex(stored, /^\d\d:\d\d:\d\d {2}stored +.*a\.tar\.xz/);
  watching.signal('SIGINT');
  t.deepEqual(await watching.exitWithin(5000), { code: 0, signal: null });
});

test('sources tells which one fails, and why', async (t) => {
  const origin = await startOrigin(t, { files: { '/a.tar.xz': body } });
  const daemon = await startDaemon(t, { sources: ['http://127.0.0.1:1/', origin.url] });
  await daemon.get('/a.tar.xz');
  const { out } = await ask(daemon, 'sources');
  t.regex(out, /^\/ +(?:set aside.*|failing) .* http:\/\/127\.0\.0\.1:1\/$/m);
  t.regex(out, new RegExp(`^ +works .* 97\\.7K +${origin.url}$`, 'm'));
  t.regex(out, /^! http:\/\/127\.0\.0\.1:1\/: .*ECONNREFUSED.*\(1 failure\)$/m);
});

test('--version tells the versions of both programs', async (t) => {
  const daemon = await startDaemon(t);
  const { code, stdout } = await run(process.execPath, {
    args: [`${root}/ctl/main.ts`, '--version'],
    env: { PACKAGE_CACHE_SOCKET: daemon.controlSocket },
  });
  t.is(code, 0);
  const [own = '', other = ''] = stdout.split('\n');
  t.is(own.split(' ')[1], other.split(' ')[1]);
  t.regex(other, new RegExp(`pid ${daemon.pid} at ${daemon.controlSocket}$`));
});
