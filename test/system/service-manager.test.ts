import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { launchBare } from '../helpers/bare-daemon.ts';
import { open, request } from '../helpers/client.ts';
import { dialControl } from '../helpers/control.ts';
import { runDaemon, startDaemon } from '../helpers/daemon.ts';
import { tempDir } from '../helpers/files.ts';
import { withoutKoffi } from '../helpers/koffi.ts';
import { receiveDatagrams } from '../helpers/native-sockets.ts';
import { bodyOf, gate, startOrigin } from '../helpers/origin.ts';
import { needs } from '../helpers/programs.ts';

const body = bodyOf('package', 1_000_003);
const target = '/distfiles/3c/package.tar.xz';
const ready = /^READY=1\nSTATUS=/;

async function listenAt(t: ExecutionContext, name = 'notify') {
  const path = join(await tempDir(t), name);
  return { path, ...(await receiveDatagrams(t, path)) };
}

test('READY=1 is sent once it serves, and STOPPING=1 with the time that it takes', async (t) => {
  const manager = await listenAt(t);
  const daemon = await startDaemon(t, { env: { NOTIFY_SOCKET: manager.path } });
  t.is(await manager.find(ready), 'READY=1\nSTATUS=0 downloads, 0 clients');
  t.is((await daemon.get('/.package-cache/health')).status, 200);
  t.is((await dialControl(t, daemon.controlSocket)).hello.pid, daemon.pid);
  await daemon.stop();
  const end = 'STOPPING=1\nEXTEND_TIMEOUT_USEC=25000000\nSTATUS=0 downloads, ';
  t.true(manager.messages[1]?.startsWith(end), manager.messages.join());
  t.is(manager.messages.length, 2);
});

test('nothing is said to be ready that does not start', async (t) => {
  const manager = await listenAt(t);
  const { port } = await startDaemon(t);
  const args = ['--cache', join(await tempDir(t), 'cache'), '--port', String(port)];
  const { code } = await runDaemon(args, { env: { NOTIFY_SOCKET: manager.path } });
  t.is(code, 1);
  t.deepEqual(manager.messages, []);
});

test('a name in the abstract name space does as well', async (t) => {
  const path = `@package-cache-test-${process.pid}`;
  const manager = await receiveDatagrams(t, path);
  await startDaemon(t, { env: { NOTIFY_SOCKET: path } });
  t.regex(await manager.find(ready), ready);
});

for (const by of ['SIGHUP', 'package-cache-ctl reload']) {
  test(`${by} is RELOADING=1 and READY=1, whether the configuration is right or wrong`, async (t) => {
    const manager = await listenAt(t);
    const daemon = await startDaemon(t, { env: { NOTIFY_SOCKET: manager.path } });
    const control = await dialControl(t, daemon.controlSocket);
    for (const conf of ['PORT="4000"\n', 'PROT="4000"\n']) {
      await writeFile(daemon.confFile, conf);
      const before = manager.messages.length;
      const began = process.hrtime.bigint() / 1000n;
      if (by === 'SIGHUP') daemon.signal('SIGHUP');
      else await control.call('reload');
      await manager.find(ready, before);
      const [reloading = '', again] = manager.messages.slice(before);
      const [, at = '0'] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(reloading) ?? [];
      t.true(BigInt(at) >= began && BigInt(at) <= process.hrtime.bigint() / 1000n, reloading);
      t.regex(again ?? '', ready);
    }
  });
}

test('WATCHDOG=1 comes when half of the time that was given is over', async (t) => {
  const manager = await listenAt(t);
  const env = { NOTIFY_SOCKET: manager.path, WATCHDOG_USEC: '600000' };
  const daemon = await startDaemon(t, { env });
  await manager.find(ready);
  const began = performance.now();
  for (const count of [1, 2, 3]) await manager.find(/^WATCHDOG=1$/, count);
  t.true(performance.now() - began > 600);
  t.is((await daemon.stop()).code, 0);
});

test('a loop that hangs is silent: no thread goes on saying that all is well', async (t) => {
  const manager = await listenAt(t);
  const hang =
    'process.on("SIGUSR2", () => { for (const end = Date.now() + 1500; Date.now() < end; ); })';
  const daemon = launchBare(t, {
    cacheDir: join(await tempDir(t), 'cache'),
    env: { NOTIFY_SOCKET: manager.path, WATCHDOG_USEC: '400000' },
    node: ['--import', `data:text/javascript,${encodeURIComponent(hang)}`],
  });
  await manager.find(/^WATCHDOG=1$/);
  daemon.signal('SIGUSR2');
  const before = manager.messages.length;
  const began = performance.now();
  // One may have been on its way.
  await manager.find(/^WATCHDOG=1$/, before + 1);
  t.true(performance.now() - began > 1000);
});

test('a watchdog of another process is none of ours', async (t) => {
  const manager = await listenAt(t);
  const env = { NOTIFY_SOCKET: manager.path, WATCHDOG_USEC: '50000', WATCHDOG_PID: '1' };
  const daemon = await startDaemon(t, { env });
  await daemon.stop();
  t.false(manager.messages.includes('WATCHDOG=1'));
});

test('the status tells of downloads and clients while they end', async (t) => {
  const held = gate();
  t.teardown(held.open);
  const origin = await startOrigin(t, {
    files: { [target]: { body, chunks: { gate: held, after: 100_001 } } },
  });
  const manager = await listenAt(t);
  const daemon = await startDaemon(t, {
    sources: [origin.url],
    env: { NOTIFY_SOCKET: manager.path },
  });
  const stream = open({ port: daemon.port, target, t });
  await stream.read(100_001);
  const stopping = daemon.stop();
  t.regex(await manager.find(/^STOPPING=1/), /\nSTATUS=1 download, 1 client$/);
  held.open();
  t.is((await stream.rest()).ended, 'complete');
  await stopping;
});

test('NOTIFY_FD gets one line once it serves, and is closed', async (t) => {
  const fifo = join(await tempDir(t), 'ready');
  execFileSync('mkfifo', [fifo]);
  const reader = new Socket({ fd: openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK) });
  t.teardown(() => reader.destroy());
  const writer = openSync(fifo, constants.O_WRONLY);
  const daemon = launchBare(t, {
    cacheDir: join(await tempDir(t), 'cache'),
    env: { NOTIFY_FD: '3' },
    descriptors: [writer],
  });
  closeSync(writer);
  const [line] = await once(reader, 'data');
  t.is(String(line), '\n');
  await once(reader, 'end');
  const health = await request({ port: await daemon.port, target: '/.package-cache/health' });
  t.is(health.status, 200);
});

test('a service manager that is not there is told once and hinders nothing', async (t) => {
  const env = { NOTIFY_SOCKET: join(await tempDir(t), 'nobody'), NOTIFY_FD: '99' };
  const daemon = await startDaemon(t, { env: { ...env, WATCHDOG_USEC: '100000' } });
  await daemon.logged(/warn: Cannot tell the service manager at ".*nobody": ENOENT$/);
  await daemon.logged(/warn: Cannot tell descriptor 99 \(NOTIFY_FD\) of being ready: EBADF/);
  t.is((await daemon.stop()).code, 0);
  t.is(daemon.log().filter((line) => line.includes('service manager')).length, 1);
});

test('without koffi, systemd-notify says it', async (t) => {
  if (!needs(t, 'systemd-notify')) return;
  const manager = await listenAt(t);
  await chmod(manager.path, 0o666);
  const daemon = launchBare(t, {
    cacheDir: join(await tempDir(t), 'cache'),
    env: { NOTIFY_SOCKET: manager.path },
    node: withoutKoffi,
  });
  t.regex(await manager.find(/READY=1/), /^READY=1\nSTATUS=0 downloads, 0 clients/);
  daemon.signal('SIGTERM');
  t.is((await daemon.exited).code, 0);
  t.regex(await manager.find(/STOPPING=1/), /STOPPING=1/);
});
