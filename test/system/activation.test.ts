import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type BareDaemon, launchBare, runBare } from '../helpers/bare-daemon.ts';
import { request } from '../helpers/client.ts';
import { dialControl } from '../helpers/control.ts';
import { tempDir } from '../helpers/files.ts';
import { holdTcp, holdUdp, holdUnix } from '../helpers/native-sockets.ts';
import { bodyOf, startOrigin } from '../helpers/origin.ts';

const body = bodyOf('package', 300_001);
const target = '/distfiles/3c/package.tar.xz';

/** A shell that says for whom the descriptors are, and becomes the daemon. */
function handing(count: number, more = ''): string[] {
  return ['sh', '-c', `LISTEN_PID=$$ LISTEN_FDS=${count} ${more} exec "$@"`, 'sh'];
}

interface Cache {
  readonly cacheDir: string;
  readonly args: readonly string[];
}

async function settle(t: ExecutionContext): Promise<Cache> {
  const origin = await startOrigin(t, { files: { '*': { body } } });
  return { cacheDir: join(await tempDir(t), 'cache'), args: ['--source', origin.url] };
}

async function stop(daemon: BareDaemon): Promise<void> {
  daemon.signal('SIGTERM');
  await daemon.exited;
}

test('sockets that are handed over are served in place of HOST and PORT', async (t) => {
  const [one, two] = [await holdTcp(t), await holdTcp(t)];
  const daemon = launchBare(t, {
    ...(await settle(t)),
    through: handing(2, 'LISTEN_FDNAMES=one:two'),
    descriptors: [one.descriptor, two.descriptor],
  });
  t.is(await daemon.port, one.port);
  await daemon.log.find(/info: sockets were handed over: HOST and PORT are not used$/);
  await daemon.log.find(new RegExp(`info: listening on http://127\\.0\\.0\\.1:${two.port}/$`));
  for (const { port } of [one, two]) {
    t.true((await request({ port, target })).body.equals(body));
  }
});

test('who connects while no daemon runs waits, and is served by the next one', async (t) => {
  const { port, descriptor } = await holdTcp(t);
  const options = { ...(await settle(t)), through: handing(1), descriptors: [descriptor] };
  const first = launchBare(t, options);
  await first.port;
  await stop(first);
  const waiting = [1, 2, 3].map(() => request({ port, target }));
  const second = launchBare(t, options);
  for (const answer of await Promise.all(waiting)) t.true(answer.body.equals(body));
  await stop(second);
  t.true(second.log.lines().some((line) => line.includes('stopped')));
});

test('restarts under load lose no request', async (t) => {
  const { port, descriptor } = await holdTcp(t, 1024);
  const options = { ...(await settle(t)), through: handing(1), descriptors: [descriptor] };
  let daemon = launchBare(t, options);
  await daemon.port;
  let [answers, running] = [0, true];
  const client = async () => {
    while (running) {
      const answer = await request({ port, target });
      if (answer.ended !== 'complete' || !answer.body.equals(body)) throw new Error(answer.ended);
      answers += 1;
      await setImmediate();
    }
  };
  const clients = Promise.all(Array.from({ length: 8 }, client));
  clients.catch(() => {});
  for (let restart = 0; restart < 3; restart += 1) {
    const before = answers;
    while (answers < before + 40) await Promise.race([setImmediate(), clients]);
    await stop(daemon);
    daemon = launchBare(t, options);
    await daemon.port;
  }
  running = false;
  await t.notThrowsAsync(clients);
});

test('the limits hold on sockets that are handed over, too', async (t) => {
  const { port, descriptor } = await holdTcp(t);
  const { cacheDir, args } = await settle(t);
  const config = join(await tempDir(t), 'package-cache.conf');
  writeFileSync(config, 'MAX_HEAD_SIZE=2K\nHEAD_TIMEOUT=1s\n');
  const daemon = launchBare(t, {
    cacheDir,
    args: [...args, '--config', config],
    through: handing(1),
    descriptors: [descriptor],
  });
  await daemon.port;
  const fields: [string, string][] = [['X', 'x'.repeat(3000)]];
  t.is((await request({ port, target, fields })).status, 431);
  const silent = connect(port, '127.0.0.1');
  t.teardown(() => silent.destroy());
  const [answer] = await once(silent, 'data');
  t.regex(String(answer), /^HTTP\/1\.1 408 /);
});

test('a Unix socket that is handed over is the control socket, and stays when the daemon stops', async (t) => {
  const path = join(await tempDir(t), 'handed.sock');
  const [http, control] = [await holdTcp(t), await holdUnix(t, path)];
  const daemon = launchBare(t, {
    ...(await settle(t)),
    through: handing(2),
    descriptors: [control, http.descriptor],
  });
  await daemon.port;
  const dialled = await dialControl(t, path);
  t.like((await dialled.call('status')).reply, { controlSocket: path });
  dialled.close();
  await stop(daemon);
  t.true((await stat(path)).isSocket());
});

test('with a control socket alone, HOST and PORT count', async (t) => {
  const path = join(await tempDir(t), 'handed.sock');
  const descriptors = [await holdUnix(t, path)];
  const daemon = launchBare(t, { ...(await settle(t)), through: handing(1), descriptors });
  t.is((await request({ port: await daemon.port, target })).status, 200);
  t.is((await dialControl(t, path)).hello.pid, daemon.pid);
});

const useless: readonly (readonly [string, (t: ExecutionContext) => Promise<number>, RegExp])[] = [
  [
    'a file',
    async (t) => {
      const path = join(await tempDir(t), 'file');
      writeFileSync(path, '');
      const handle = await open(path);
      t.teardown(() => handle.close());
      return handle.fd;
    },
    /Cannot use "descriptor 3 \(mine\)": it is no socket; the socket unit wants ListenStream=/,
  ],
  [
    'a UDP socket',
    holdUdp,
    /Cannot listen on "descriptor 3": .*the socket unit wants ListenStream=/,
  ],
  [
    'a Unix socket for datagrams',
    async (t) => holdUnix(t, join(await tempDir(t), 'datagrams'), 'datagrams'),
    /Cannot use "descriptor 3 \(mine\)": it is a Unix socket that does not listen; /,
  ],
];

for (const [what, make, reason] of useless) {
  test(`${what} is refused, and the start ends with EX_CONFIG`, async (t) => {
    const through = handing(1, 'LISTEN_FDNAMES=mine');
    const descriptors = [await make(t)];
    const { code, stderr } = await runBare({ ...(await settle(t)), through, descriptors });
    t.is(code, 78, stderr);
    t.regex(stderr, reason);
  });
}

test('descriptors that are for another process are left alone', async (t) => {
  const { descriptor, port } = await holdTcp(t);
  const env = { LISTEN_PID: '1', LISTEN_FDS: '1' };
  const daemon = launchBare(t, { ...(await settle(t)), env, descriptors: [descriptor] });
  t.not(await daemon.port, port);
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  t.false(daemon.log.lines().some((line) => line.includes('handed over')));
});
