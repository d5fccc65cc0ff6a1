import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openSyslog } from '../../daemon/system/syslog.ts';
import { type BareDaemon, launchBare } from '../helpers/bare-daemon.ts';
import { request } from '../helpers/client.ts';
import { tempDir } from '../helpers/files.ts';
import { withoutKoffi } from '../helpers/koffi.ts';
import { type DatagramReceiver, receiveDatagrams } from '../helpers/native-sockets.ts';
import { needs } from '../helpers/programs.ts';

const isRoot = process.getuid?.() === 0;

/** A /dev of its own, whose log is where the test listens. */
const ownDevices =
  'd=$1; l=$2; shift 2; mkdir "$d" && mount --rbind /dev "$d" && mount -t tmpfs none /dev && ' +
  'for f in null zero full random urandom; do : >/dev/$f && mount --bind "$d/$f" /dev/$f; done && ' +
  'ln -s "$l" /dev/log && exec "$@"';

async function launchLogging(
  t: ExecutionContext,
  options: {
    readonly node?: readonly string[];
    readonly path?: string;
    readonly args?: readonly string[];
  } = {},
): Promise<BareDaemon> {
  const folder = await tempDir(t);
  const { node = [], path = join(folder, 'log'), args = [] } = options;
  return launchBare(t, {
    cacheDir: join(folder, 'cache'),
    node,
    through: ['unshare', '-m', 'sh', '-c', ownDevices, 'sh', join(folder, 'dev'), path],
    args: ['--syslog', '--verbose', ...args],
  });
}

const head =
  /^<(\d+)>((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d) package-cache\[(\d+)\]: (.*)$/;

/** Priority, process and text, as a log daemon reads them. */
function parse(message: string): { priority: number; pid: number; text: string } {
  const [, priority, , pid, text = ''] = head.exec(message) ?? [];
  return { priority: Number(priority), pid: Number(pid), text };
}

const asRoot = isRoot ? test : test.skip;

for (const [how, node] of [
  ['koffi', []],
  ['logger, where koffi is missing', withoutKoffi],
] as const) {
  asRoot(`--syslog writes to /dev/log and not to standard error, by ${how}`, async (t) => {
    if (!needs(t, 'unshare', 'mount', 'logger')) return;
    const path = join(await tempDir(t), 'log');
    const syslog = await receiveDatagrams(t, path);
    const daemon = await launchLogging(t, { path, node });
    const listening = parse(await syslog.find(/listening on/));
    t.is(listening.priority, 3 * 8 + 6);
    t.is(listening.pid, daemon.pid);
    const [, port] = /^listening on http:\/\/127\.0\.0\.1:(\d+)\/$/.exec(listening.text) ?? [];
    t.is((await request({ port: Number(port), target: '/.package-cache/health' })).status, 200);
    const warning = parse(await syslog.find(/running as root/));
    t.is(warning.priority, 3 * 8 + 4);
    daemon.signal('SIGTERM');
    t.deepEqual(await daemon.exited, { code: 0, signal: null });
    t.is(parse(await syslog.find(/stopped/)).text, 'stopped');
    t.deepEqual(daemon.log.lines(), []);
  });
}

asRoot(
  'a log daemon that is not there is told once on standard error, and has the lines when it comes',
  async (t) => {
    if (!needs(t, 'unshare', 'mount')) return;
    const path = join(await tempDir(t), 'log');
    const daemon = await launchLogging(t, { path });
    await daemon.log.find(/error: Cannot log to "\/dev\/log" yet: ENOENT$/);
    const syslog = await receiveDatagrams(t, path);
    await syslog.find(/listening on/);
    await rm(path);
    const next = await receiveDatagrams(t, path);
    daemon.signal('SIGHUP');
    await next.find(/reloaded: nothing changed/);
    t.is(daemon.log.lines().length, 1);
  },
);

asRoot(
  'why a start failed is in syslog and on standard error, whether root failed or the daemon',
  async (t) => {
    if (!needs(t, 'unshare', 'mount')) return;
    const path = join(await tempDir(t), 'log');
    const syslog = await receiveDatagrams(t, path);
    for (const [args, reason] of [
      [['--host', '203.0.113.9'], /^Cannot listen on "203\.0\.113\.9:0": this machine has no such/],
      [['--cache', '/dev/null/cache'], /^Cannot use cache directory "\/dev\/null\/cache": it or a/],
    ] as const) {
      const daemon = await launchLogging(t, { path, args });
      t.not((await daemon.exited).code, 0);
      t.regex(daemon.log.lines().join('\n').replace('package-cache: ', ''), reason);
      t.regex(parse(await syslog.find(/Cannot/)).text, reason);
      t.is(parse(await syslog.find(/Cannot/)).priority, 3 * 8 + 3);
      syslog.messages.splice(0);
    }
  },
);

async function openHere(t: ExecutionContext, path: string) {
  const complaints: string[] = [];
  const syslog = await openSyslog({ path, complain: (reason) => complaints.push(reason) });
  t.teardown(() => syslog.close());
  return { ...syslog, complaints };
}

function texts({ messages }: DatagramReceiver): string[] {
  return messages.map((message) => parse(message).text);
}

test('each level has its severity, and the facility is daemon', async (t) => {
  const path = join(await tempDir(t), 'log');
  const receiver = await receiveDatagrams(t, path);
  const syslog = await openHere(t, path);
  for (const level of ['error', 'warn', 'info', 'debug'] as const) syslog.write(level, level);
  await receiver.find(/debug/);
  t.deepEqual(
    receiver.messages.map((message) => parse(message).priority),
    [27, 28, 30, 31],
  );
  t.deepEqual(texts(receiver), ['error', 'warn', 'info', 'debug']);
});

test('the time is local, with the day as RFC 3164 has it', async (t) => {
  const path = join(await tempDir(t), 'log');
  const receiver = await receiveDatagrams(t, path);
  const syslog = await openHere(t, path);
  const before = Date.now() - 1000;
  syslog.write('info', 'now');
  const [, , stamp] = head.exec(await receiver.find(/now/)) ?? [];
  const year = new Date(before).getFullYear();
  const time = Date.parse(`${stamp?.slice(0, 6)} ${year} ${stamp?.slice(7)}`);
  t.true(time >= before && time <= Date.now() + 1000, stamp);
});

test('a message is bounded, and no character is cut in two', async (t) => {
  const path = join(await tempDir(t), 'log');
  const receiver = await receiveDatagrams(t, path);
  const syslog = await openHere(t, path);
  for (const letter of ['x', 'é', '€', '😀']) {
    syslog.write('info', letter.repeat(5000));
    const message = await receiver.find(new RegExp(letter, 'u'));
    const bytes = Buffer.byteLength(message);
    t.true(bytes <= 2048 && bytes > 2040, String(bytes));
    t.regex(parse(message).text, new RegExp(`^(?:${letter})+…$`, 'u'));
  }
});

test('a log daemon that reads nothing holds nobody up, and what it misses is counted', async (t) => {
  const path = join(await tempDir(t), 'log');
  const receiver = await receiveDatagrams(t, path);
  const syslog = await openHere(t, path);
  // More than its queue and ours take together, in one go of the loop that would read.
  for (let line = 0; line < 5000; line += 1) syslog.write('info', `line ${line}`);
  t.deepEqual(syslog.complaints, [`Cannot log to "${path}" yet: EAGAIN`]);
  await receiver.find(/line 500$/);
  syslog.write('info', 'afterwards');
  await receiver.find(/afterwards/);
  const [lost, ...others] = texts(receiver).filter((text) => text.includes('lost'));
  t.deepEqual(others, []);
  const lines = texts(receiver).filter((text) => text.startsWith('line '));
  t.is(`${5000 - lines.length} lines were lost here`, lost ?? '');
  t.deepEqual(
    lines,
    lines.map((_, index) => `line ${index}`),
  );
});

test('a log daemon that is started anew gets what was said meanwhile', async (t) => {
  const path = join(await tempDir(t), 'log');
  const syslog = await openHere(t, path);
  const first = await receiveDatagrams(t, path);
  syslog.write('info', 'before');
  await first.find(/before/);
  await rm(path);
  syslog.write('info', 'meanwhile');
  const second = await receiveDatagrams(t, path);
  syslog.write('info', 'after');
  await second.find(/after/);
  t.deepEqual(texts(second), ['meanwhile', 'after']);
  t.deepEqual(syslog.complaints, [`Cannot log to "${path}" yet: ENOENT`]);
});

test('a log daemon that takes streams and no datagrams is written to by logger', async (t) => {
  if (!needs(t, 'logger')) return;
  const path = join(await tempDir(t), 'log');
  const server = createServer().listen(path);
  t.teardown(() => server.close());
  await once(server, 'listening');
  server.once('connection', (probe) => probe.resume());
  const syslog = await openHere(t, path);
  const connected = once(server, 'connection');
  syslog.write('warn', 'through a stream');
  const [socket] = await connected;
  const [message] = await once(socket, 'data');
  t.regex(String(message), /^<28>.* package-cache\[\d+\]: through a stream/);
});
