import { join } from 'node:path';
import test from 'ava';
import type { FetchReply } from '../../daemon/control/content-reports.ts';
import type {
  DownloadsReply,
  LogLevelReply,
  SourcesReply,
  StatusReply,
  WhyReply,
} from '../../daemon/control/reports.ts';
import { errorCodes } from '../../daemon/control/wire.ts';
import { open } from '../helpers/client.ts';
import { dialControl, paramsOf } from '../helpers/control.ts';
import { filesBelow } from '../helpers/entries.ts';
import { gate } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { body, openScene } from './scene.ts';

const scene = share(test, openScene);

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
