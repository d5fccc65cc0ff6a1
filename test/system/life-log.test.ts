import { execFileSync } from 'node:child_process';
import { constants, openSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { type BareDaemon, launchBare, runBare } from '../helpers/bare-daemon.ts';
import { open, request } from '../helpers/client.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { tempDir } from '../helpers/files.ts';
import { bodyOf, gate, startOrigin } from '../helpers/origin.ts';
import { needs } from '../helpers/programs.ts';
import { linesThrough } from '../helpers/watching.ts';

const target = '/distfiles/3c/package.tar.xz';
const body = bodyOf('package', 100_001);

/** The lines without their times, but for the one that root gets. */
function said(lines: readonly string[]): string[] {
  return lines
    .map((line) => line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /, ''))
    .filter((line) => !line.startsWith('warn: running as root'));
}

test('a download is one line: source, size, time, rate and clients; nothing else is said', async (t) => {
  const held = gate();
  const origin = await startOrigin(t, {
    files: { [target]: { body, chunks: { gate: held, after: 10_000 } } },
  });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const clients = [0, 1, 2].map(() => open({ port: daemon.port, target, t }));
  for (const client of clients) await client.read(1);
  clients[0]?.destroy();
  held.open();
  await daemon.logged(/stored/);
  await daemon.get(target);
  await daemon.get(target, { method: 'HEAD' });
  await daemon.get(target, { fields: [['Range', 'bytes=900000-']] });
  await daemon.get('/distfiles/missing.tar');
  await daemon.get('/listing/');
  await daemon.get('/%zz');
  await daemon.get('/', { method: 'DELETE' });
  await daemon.stop();
  const [listening, stored, ...rest] = said(daemon.log());
  t.regex(listening ?? '', /^info: listening on http:\/\/127\.0\.0\.1:\d+\/$/);
  const line = `info: stored "distfiles/3c/package.tar.xz" from ${origin.url}: 100001 bytes (97.7K) in `;
  t.is(stored?.slice(0, line.length), line);
  t.regex(stored?.slice(line.length) ?? '', /^[\d.]+m?s \([\d.]+[BKM]\/s\), 3 clients$/);
  t.deepEqual(rest, ['info: stopping on SIGTERM', 'info: stopped']);
});

test('a source that fails and works again is one line each, however often it is asked', async (t) => {
  const origin = await startOrigin(t, { files: { '*': { body } } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  await origin.stop();
  for (const name of ['a', 'b', 'c']) {
    t.is((await daemon.get(`/distfiles/${name}`)).status, 502);
  }
  await origin.restart();
  for (const name of ['d', 'e']) t.is((await daemon.get(`/distfiles/${name}`)).status, 200);
  await daemon.stop();
  const about = said(daemon.log()).filter((line) => !/listening|stored|stop/.test(line));
  t.is(about.length, 2, about.join('\n'));
  t.true(about[0]?.startsWith(`warn: source ${origin.url} is set aside for 2.0s: `));
  t.is(about[1], `warn: source ${origin.url} works again`);
});

test('under journald each line has its priority, and no time of its own', async (t) => {
  const script = 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$@"';
  const daemon = launchBare(t, {
    cacheDir: join(await tempDir(t), 'cache'),
    through: ['sh', '-c', script, 'sh'],
  });
  await daemon.port;
  t.regex(daemon.log.lines().at(-1) ?? '', /^<6>listening on http/);
});

test('under journald the reason that a start failed is an error', async (t) => {
  const script = 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$@"';
  const through = ['sh', '-c', script, 'sh'];
  const { code, stderr } = await runBare({ through, args: ['--host', '203.0.113.9'] });
  t.is(code, 1);
  t.regex(stderr, /^<3>package-cache: Cannot listen on "203\.0\.113\.9:0": .*\n$/);
});

test('with LOG_FILE standard error is silent, and the file has the time and the levels', async (t) => {
  const path = join(await tempDir(t), 'daemon.log');
  const daemon = launchBare(t, {
    cacheDir: join(await tempDir(t), 'cache'),
    through: ['sh', '-c', 'echo "LOG_FILE=$1" >"$1.conf"; shift; exec "$@"', 'sh', path],
    args: ['--config', `${path}.conf`],
  });
  await linesThrough(path, /Z info: listening on http/);
  daemon.signal('SIGTERM');
  await daemon.exited;
  t.regex((await linesThrough(path, /stopped/)).at(-1) ?? '', /^\d{4}-\S+Z info: stopped$/);
  t.deepEqual(daemon.log.lines(), []);
});

test('a terminal that journald started is none: its log keeps the time', async (t) => {
  const cacheDir = join(await tempDir(t), 'cache');
  const daemon = launchBare(t, { cacheDir, env: { JOURNAL_STREAM: '8:1' } });
  await daemon.port;
  t.regex(daemon.log.lines().at(-1) ?? '', /^\d{4}-\d\d-\d\dT\S+Z info: listening on http/);
});

test('with ACCESS_LOG every answer is a line, and a moved log is opened under its name again', async (t) => {
  const folder = await tempDir(t);
  const path = join(folder, 'access.log');
  const origin = await startOrigin(t, { files: { [target]: { body } } });
  const daemon = await startDaemon(t, { sources: [origin.url], conf: { ACCESS_LOG: path } });
  await daemon.get(target, { fields: [['User-Agent', 'Wget/1.21 "quoted"']] });
  await daemon.get('/.package-cache/health');
  await daemon.get('/distfiles/missing.tar', { version: '1.0' });
  const [got = '', missing = ''] = await linesThrough(path, /missing/);
  const time = '\\[\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z\\]';
  t.regex(
    got,
    new RegExp(
      `^127\\.0\\.0\\.1 ${time} "GET ${target} HTTP/1\\.1" 200 100001 \\d+ms ` +
        '"Wget/1\\.21 \\\\"quoted\\\\"" "package-cache; fwd=uri-miss; stored"$',
    ),
  );
  t.regex(missing, / "GET \/distfiles\/missing\.tar HTTP\/1\.0" 404 \d+ \d+ms "-" "not-found"$/);
  await rename(path, `${path}.1`);
  daemon.signal('SIGHUP');
  await daemon.logged(/reloaded/);
  await daemon.get(target);
  const [hit = ''] = await linesThrough(path, /$/);
  t.regex(hit, / 200 100001 \d+ms "-" "package-cache; hit"$/);
  t.is((await readFile(`${path}.1`, 'utf8')).trimEnd().split('\n').length, 2);
});

for (const path of ['/dev/full', '/proc/no/such/access.log']) {
  test(`an access log that cannot be written, such as ${path}, is told once and disturbs nobody`, async (t) => {
    const origin = await startOrigin(t, { files: { '*': { body } } });
    const conf = { ACCESS_LOG: path };
    const daemon = await startDaemon(t, { sources: [origin.url], conf });
    for (const name of ['a', 'b', 'c']) {
      t.true((await daemon.get(`/distfiles/${name}`)).body.equals(body));
    }
    t.deepEqual(await daemon.stop(), { code: 0, signal: null });
    const told = said(daemon.log()).filter((line) => line.startsWith('error: '));
    t.is(told.length, 1, told.join('\n'));
    t.true(told[0]?.startsWith(`error: Cannot write access log "${path}": E`));
  });
}

/** A daemon whose log goes where the shell sends it. */
async function startLoggingTo(t: ExecutionContext, redirection: string): Promise<BareDaemon> {
  const origin = await startOrigin(t, { files: { '*': { body } } });
  return launchBare(t, {
    cacheDir: join(await tempDir(t), 'cache'),
    through: ['sh', '-c', `exec "$@" ${redirection}`, 'sh'],
    args: ['--source', origin.url],
  });
}

const listening = /listening on http:\/\/127\.0\.0\.1:(\d+)\/$/;

async function portIn(lines: AsyncIterable<string> | readonly string[]): Promise<number> {
  for await (const line of lines) {
    const port = listening.exec(line)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error('It never listened');
}

/** Both ends of a FIFO, read without a thread that a silent writer would block for ever. */
function openFifo(path: string): Socket {
  return new Socket({ fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK) });
}

test('whoever reads the log may go away', async (t) => {
  const fifo = join(await tempDir(t), 'log');
  execFileSync('mkfifo', [fifo]);
  const reader = openFifo(fifo);
  t.teardown(() => reader.destroy());
  const daemon = await startLoggingTo(t, `2>'${fifo}'`);
  const port = await portIn(createInterface(reader));
  reader.destroy();
  for (const name of ['a', 'b', 'c']) {
    t.true((await request({ port, target: `/distfiles/${name}` })).body.equals(body));
  }
  daemon.signal('SIGTERM');
  t.deepEqual(await daemon.exitWithin(10_000), { code: 0, signal: null });
});

test('a disk that takes not one byte more, of the log neither, leaves the hits', async (t) => {
  if (!needs(t, 'prlimit')) return;
  const path = join(await tempDir(t), 'daemon.log');
  const daemon = await startLoggingTo(t, `2>>'${path}'`);
  const port = await portIn(await linesThrough(path, listening));
  t.true((await request({ port, target })).body.equals(body));
  await linesThrough(path, /stored/);
  execFileSync('prlimit', ['--pid', String(daemon.pid), '--fsize=1:1']);
  for (const name of ['a', 'b', 'c']) await request({ port, target: `/distfiles/${name}` });
  t.true((await request({ port, target })).body.equals(body));
  daemon.signal('SIGTERM');
  t.deepEqual(await daemon.exitWithin(10_000), { code: 0, signal: null });
});
