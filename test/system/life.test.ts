import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { open as openFile, readFile, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { rootCertificates } from 'node:tls';
import test from 'ava';
import { launchBare, openDir, runBare } from '../helpers/bare-daemon.ts';
import { connection, request } from '../helpers/client.ts';
import { runDaemon, startDaemon } from '../helpers/daemon.ts';
import { tempDir } from '../helpers/files.ts';
import { bodyOf, gate, startOrigin } from '../helpers/origin.ts';

const target = '/distfiles/3c/package.tar.xz';
const body = bodyOf('package', 1_000_003);
const first = 100_001;
const [certificate = ''] = rootCertificates;

test('told to stop, it takes nobody new, closes what is idle and lets transfers end whole', async (t) => {
  const held = gate();
  const origin = await startOrigin(t, {
    files: { [target]: { body, chunks: { gate: held, after: first } } },
  });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const idle = connection({ port: daemon.port, t });
  await idle.send({ target: '/.package-cache/health' });
  const busy = connection({ port: daemon.port, t });
  const asked = busy.send({ target });
  await held.reached;
  const stopping = daemon.stop();
  t.is(await idle.closed, 'fin');
  await t.throwsAsync(request({ port: daemon.port, target }));
  // A service manager that repeats itself changes nothing.
  daemon.signal('SIGTERM');
  held.open();
  const opened = performance.now();
  const answer = await asked;
  t.is(answer.ended, 'complete');
  t.true(answer.body.equals(body));
  t.is(await busy.closed, 'fin');
  t.deepEqual(await stopping, { code: 0, signal: null });
  t.true(performance.now() - opened < 10_000);
  t.true((await readFile(join(daemon.cacheDir, target))).equals(body));
  t.regex(daemon.log().join('\n'), /info: stopping on SIGTERM\n.*\n?.*info: stopped$/);
});

test('a download that nobody waits for does not hold it up, and goes on after the next start', async (t) => {
  const held = gate();
  t.teardown(held.open);
  const origin = await startOrigin(t, {
    files: {
      [target]: ({ headerOf }) =>
        headerOf('range') === undefined ? { body, chunks: { gate: held, after: first } } : { body },
    },
  });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const client = connect(daemon.port, '127.0.0.1');
  client.write(`GET ${target} HTTP/1.1\r\nHost: cache\r\n\r\n`);
  await once(client, 'data');
  await held.reached;
  client.resetAndDestroy();
  const began = performance.now();
  t.deepEqual(await daemon.stop(), { code: 0, signal: null });
  t.true(performance.now() - began < 10_000);
  await daemon.restart();
  await daemon.logged(/stored ".*package\.tar\.xz"/);
  t.is(origin.requests.at(-1)?.headerOf('range'), `bytes=${first}-`);
});

test('Ctrl-C stops it as well, and with nothing to wait for at once', async (t) => {
  const daemon = await startDaemon(t);
  const began = performance.now();
  t.deepEqual(await daemon.stop('SIGINT'), { code: 0, signal: null });
  t.true(performance.now() - began < 5000);
});

test('a port that is taken is told, with the way out', async (t) => {
  const { port } = await startDaemon(t);
  const cacheDir = join(await tempDir(t), 'cache');
  const { code, stderr } = await runDaemon(['--cache', cacheDir, '--port', String(port)]);
  t.is(code, 1);
  const reason = 'another program listens there; stop it or choose another PORT';
  t.true(stderr.includes(`Cannot listen on "127.0.0.1:${port}": ${reason}`), stderr);
});

test('an address that is not of this machine is told, with the way out', async (t) => {
  const cacheDir = join(await tempDir(t), 'cache');
  const { code, stderr } = await runBare({ cacheDir, args: ['--host', '203.0.113.9'] });
  t.is(code, 1);
  t.regex(stderr, /Cannot listen on "203\.0\.113\.9:0": this machine has no such address/);
});

test('--version and --help answer on standard output and start nothing', async (t) => {
  const version = await runDaemon(['--version']);
  t.like(version, { code: 0, stdout: 'package-cache 0.1.0\n', stderr: '' });
  const help = await runDaemon(['--help']);
  t.like(help, { code: 0, stderr: '' });
  t.regex(help.stdout, /^Usage: package-cache \[OPTION\]\.\.\.\n/);
});

test('a wrong command line ends with EX_CONFIG and names the option', async (t) => {
  const { code, stderr, stdout } = await runDaemon(['--prot', '4000']);
  t.like({ code, stdout }, { code: 78, stdout: '' });
  t.is(stderr, 'package-cache: Cannot use "--prot": unknown option, did you mean --port?\n');
});

test('--check-config says that a configuration is right, or what is wrong where', async (t) => {
  const folder = await tempDir(t);
  const file = join(folder, 'package-cache.conf');
  const check = () => runDaemon(['--check-config', '--config', file]);
  await writeFile(file, `CACHE_DIR="${folder}/cache"\nPORT="4000"\n`);
  t.like(await check(), { code: 0, stdout: `${file} is right\n`, stderr: '' });
  await writeFile(file, `CACHE_DIR="${folder}/cache"\n\nPROT="4000"\n`);
  const { code, stderr } = await check();
  t.is(code, 78);
  t.regex(stderr, new RegExp(`^package-cache: .*${file}.*\\b3\\b.*PROT.*PORT`));
  const started = await runDaemon(['--config', file]);
  t.like(started, { code: 78, stderr });
});

test('any user runs it without a configuration: loopback, and a cache of their own', async (t) => {
  const home = await openDir(t);
  const asNobody = process.getuid?.() === 0;
  if (asNobody) execFileSync('chown', ['nobody:', home]);
  const through = ['setpriv', '--reuid', 'nobody', '--clear-groups'];
  const daemon = launchBare(t, {
    env: { HOME: home, XDG_CACHE_HOME: undefined },
    ...(asNobody ? { through } : {}),
  });
  t.regex(await daemon.log.find(/listening/), /info: listening on http:\/\/127\.0\.0\.1:\d+\/$/);
  t.true((await stat(join(home, '.cache/package-cache/.package-cache'))).isDirectory());
  const health = await request({ port: await daemon.port, target: '/.package-cache/health' });
  t.is(String(health.body), 'ok\n');
});

test('who connects while it starts waits, and is answered', async (t) => {
  const folder = await tempDir(t);
  const [fifo, file] = [join(folder, 'ca.pem'), join(folder, 'package-cache.conf')];
  execFileSync('mkfifo', [fifo]);
  await writeFile(file, `CA_FILE="${fifo}"\nCACHE_DIR="${folder}/cache"\n`);
  // An address that no other test has, so that the port can be known before it is told.
  const host = `127.${randomInt(1, 255)}.${randomInt(256)}.${randomInt(1, 255)}`;
  const { log } = launchBare(t, { args: ['--config', file, '--host', host, '--port', '4000'] });
  // Opens when the daemon does, which then waits for what is to be read.
  const writer = await openFile(fifo, 'w');
  const health = `http://${host}:4000/.package-cache/health`;
  const asked = Promise.all([fetch(health), fetch(health)]);
  const idle = connect(4000, host);
  await once(idle, 'connect');
  t.false(log.lines().some((line) => line.includes('listening')));
  await writer.writeFile(certificate);
  await writer.close();
  for (const answer of await asked) t.is(await answer.text(), 'ok\n');
  idle.end('GET /.package-cache/health HTTP/1.0\r\n\r\n');
  t.regex(await text(idle), /^HTTP\/1\.1 200 OK\r\n/);
});

for (const [signal, sign] of [
  ['SIGHUP', /reloaded: nothing changed/],
  ['SIGTERM', /stopping on SIGTERM/],
] as const) {
  test(`a ${signal} that comes before it listens is obeyed as soon as it does`, async (t) => {
    const folder = await tempDir(t);
    const [fifo, file] = [join(folder, 'ca.pem'), join(folder, 'package-cache.conf')];
    execFileSync('mkfifo', [fifo]);
    await writeFile(file, `CA_FILE="${fifo}"\nCACHE_DIR="${folder}/cache"\n`);
    const daemon = launchBare(t, { args: ['--config', file] });
    // Opens when the daemon does, which then waits for what is to be read.
    const writer = await openFile(fifo, 'w');
    daemon.signal(signal);
    await writer.writeFile(certificate);
    await writer.close();
    await daemon.port;
    t.regex(await daemon.log.find(sign), sign);
  });
}
