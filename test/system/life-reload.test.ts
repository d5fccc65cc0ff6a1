import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { open } from '../helpers/client.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { bodyOf, gate, startOrigin } from '../helpers/origin.ts';
import { whenThere } from '../helpers/watching.ts';

const target = '/distfiles/3c/package.tar.xz';
const body = bodyOf('package', 1_000_003);
const first = 100_001;

test('new sources are taken over, and a download under way ends as it began', async (t) => {
  const held = gate();
  const old = await startOrigin(t, {
    files: { [target]: { body, chunks: { gate: held, after: first } } },
  });
  const fresh = await startOrigin(t, { files: { '*': { body } } });
  const daemon = await startDaemon(t, { sources: [old.url] });
  const stream = open({ port: daemon.port, target, t });
  await stream.read(first);
  await daemon.configure({ SOURCES: fresh.url, SOURCES_debian: fresh.url });
  daemon.signal('SIGHUP');
  await daemon.logged(/info: reloaded: SOURCES, SOURCES_debian changed$/);
  t.true((await daemon.get('/distfiles/3c/other.tar.xz')).body.equals(body));
  t.true((await daemon.get('/debian/pool/a.deb')).body.equals(body));
  t.is(fresh.requests[1]?.target, '/pool/a.deb');
  held.open();
  const rest = await stream.rest();
  t.is(rest.ended, 'complete');
  t.true(rest.body.equals(body.subarray(first)));
  t.is(old.count(), 1);
});

test('a wrong file changes nothing, is told by file, line and key, and can be mended', async (t) => {
  const [old, fresh] = [await startOrigin(t), await startOrigin(t)];
  for (const origin of [old, fresh]) origin.serve('*', { body });
  const daemon = await startDaemon(t, { sources: [old.url] });
  const right = await readFile(daemon.confFile, 'utf8');
  const wrong = right.replace(old.url, fresh.url);
  await writeFile(daemon.confFile, `${wrong}\nMUTABLE_TLT="5m"\n`);
  daemon.signal('SIGHUP');
  const line = await daemon.logged(/error: the configuration stays as it was/);
  const number = wrong.split('\n').length + 1;
  t.true(line.includes(daemon.confFile), line);
  t.regex(line, new RegExp(`\\b${number}\\b.*MUTABLE_TLT.*MUTABLE_TTL`));
  await daemon.get('/distfiles/1/old');
  t.is(old.count('/distfiles/1/old'), 1);
  await writeFile(daemon.confFile, wrong);
  daemon.signal('SIGHUP');
  await daemon.logged(/reloaded: SOURCES changed/);
  await daemon.get('/distfiles/1/fresh');
  t.is(fresh.count(), 1);
});

test('what only a restart can change is told, every time until it comes', async (t) => {
  const daemon = await startDaemon(t, { sources: ['http://127.0.0.1:9/'] });
  await daemon.configure({ PC_USER: 'somebody', NEGATIVE_TTL: '1s' });
  daemon.signal('SIGHUP');
  await daemon.logged(/info: reloaded: NEGATIVE_TTL changed$/);
  const notice = /warn: reloaded, but a restart is needed for PC_USER$/;
  await daemon.logged(notice);
  const before = daemon.log().length;
  daemon.signal('SIGHUP');
  await daemon.logged(notice, before);
  t.pass();
});

test('the log level and the access log are taken over', async (t) => {
  const origin = await startOrigin(t, { files: { '*': { body } } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const folder = join(daemon.cacheDir, '..');
  await daemon.configure({ LOG_LEVEL: 'error', ACCESS_LOG: join(folder, 'access.log') });
  daemon.signal('SIGHUP');
  await whenThere(folder, async () =>
    (await readdir(folder)).find((name) => name === 'access.log'),
  );
  await daemon.get(target);
  await daemon.stop();
  t.regex(await readFile(join(folder, 'access.log'), 'utf8'), /package\.tar\.xz/);
  t.deepEqual(
    daemon.log().filter((line) => /stored|stop/.test(line)),
    [],
  );
});
