import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { connect } from '../../ctl/client.ts';
import { errorCodes } from '../../daemon/control/wire.ts';
import { tempDir, writeTree } from '../helpers/files.ts';
import { Log } from '../helpers/log.ts';
import { launch, root, run } from '../helpers/process.ts';
import { needs } from '../helpers/programs.ts';
import { startFake, startSocket } from './fake-daemon.ts';
import { here } from './here.ts';
import { status } from './replies.ts';

const program = join(root, 'ctl/main.ts');

test('the first socket that answers is asked', async (t) => {
  const { path } = await startFake(t, { answer: (asked) => asked.result(status) });
  const client = await connect({ env: { PACKAGE_CACHE_SOCKET: path } });
  t.is(client.path, path);
  t.deepEqual(await client.call({ method: 'status' }), status);
  client.close();
});

test('--socket wins over the environment, and is the only one that is tried', async (t) => {
  const { path } = await startFake(t, { answer: (asked) => asked.result(status) });
  const env = { PACKAGE_CACHE_SOCKET: '/nowhere/control.sock' };
  t.is((await here(['status'], { socket: path, env })).code, 0);
  const { code, err } = await here(['status'], { socket: '/nowhere/x', env: {} });
  t.is(code, 3);
  t.is(
    err,
    'package-cache-ctl: Cannot reach "/nowhere/x": no daemon answers there, ' +
      'there is no such socket\n',
  );
});

test("a user's own daemon is found in XDG_RUNTIME_DIR", async (t) => {
  const runtime = await tempDir(t);
  const { code, err, out } = await here(['status'], { env: { XDG_RUNTIME_DIR: runtime } });
  t.is(code, 3);
  t.is(out, '');
  t.is(
    err,
    'package-cache-ctl: Cannot reach "package-cache": no daemon answers at ' +
      `/run/package-cache/control.sock or ${runtime}/package-cache/control.sock\n`,
  );
});

test('a file that nobody listens on is no daemon', async (t) => {
  const directory = await tempDir(t);
  await writeTree(directory, { 'control.sock': '' });
  const { code, err } = await here(['status'], { socket: `${directory}/control.sock` });
  t.is(code, 3);
  t.regex(err, /no daemon answers there, nobody listens$/m);
});

test('a path that no socket can have is refused by name', async (t) => {
  const path = `/${'x'.repeat(107)}`;
  const { code, err } = await here(['status'], { socket: path });
  t.is(code, 2);
  t.is(
    err,
    `package-cache-ctl: Cannot use "${path}": a socket's path has at most 107 bytes, not 108\n`,
  );
});

test('without permission it fails, and names the group that may ask', async (t) => {
  if (process.getuid?.() !== 0 || !needs(t, 'setpriv')) return t.pass();
  const { path } = await startFake(t, {});
  await chmod(join(path, '..'), 0o755);
  await chmod(path, 0o660);
  // As nobody the program's own files need not be readable: only the connecting part is.
  const args = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, program];
  const ended = await run('setpriv', { args: [...args, '--socket', path, 'status'] });
  t.is(ended.code, 1);
  t.is(
    ended.stderr,
    `package-cache-ctl: Cannot reach "${path}": permission denied; ` +
      'only root and the group root may ask, see usermod(8)\n',
  );
});

test('another protocol is told plainly, with the way out', async (t) => {
  const older = await startFake(t, { hello: { protocol: 0, version: '0.0.9', pid: 1 } });
  const { code, err } = await here(['stats'], { socket: older.path });
  t.is(code, 1);
  t.is(
    err,
    `package-cache-ctl: Cannot talk to "${older.path}": the daemon speaks protocol 0 and this ` +
      'program protocol 1: restart the daemon to bring it up to date (package-cache 0.0.9)\n',
  );
  t.is(older.asked.length, 0);
  const newer = await startFake(t, { hello: { protocol: 2, version: '9.9.9', pid: 1 } });
  const versions = await here(['--version'], { socket: newer.path });
  t.is(versions.code, 1);
  t.regex(versions.out, /^package-cache 9\.9\.9, protocol 2, pid 1 at /m);
  t.regex(versions.err, /the daemon speaks protocol 2 .*: update package-cache-ctl$/m);
});

test('--version tells both versions, and its own when no daemon runs', async (t) => {
  const { path } = await startFake(t, {});
  const both = await here(['--version'], { socket: path });
  t.is(both.code, 0);
  t.regex(both.out, /^package-cache-ctl \d+\.\d+\.\d+, protocol 1\n/);
  t.true(both.out.endsWith(`\npackage-cache 9.8.7, protocol 1, pid 4242 at ${path}\n`));
  const alone = await here(['--version'], { socket: '/nowhere/x' });
  t.is(alone.code, 0);
  t.regex(alone.out, /^package-cache-ctl .*\npackage-cache does not run\n$/);
});

const refusals: readonly (readonly [code: number, exit: number, sentence: string])[] = [
  [errorCodes.params, 2, 'Cannot parse duration "9x": write a number'],
  [errorCodes.failed, 1, 'Cannot reload "/etc/x": line 3: unknown key'],
  [errorCodes.internal, 1, 'Cannot answer "status": out of memory'],
];

for (const [code, exit, sentence] of refusals) {
  test(`an error ${code} ends it with ${exit} and the daemon's own sentence`, async (t) => {
    const { path } = await startFake(t, { answer: (asked) => asked.error(code, sentence) });
    t.deepEqual(await here(['status'], { socket: path }), {
      code: exit,
      out: '',
      err: `package-cache-ctl: ${sentence}\n`,
    });
  });
}

test('a command that an older daemon lacks is told as such', async (t) => {
  const { path } = await startFake(t, {
    answer: (asked) => asked.error(errorCodes.method, 'unknown method'),
  });
  const { code, err } = await here(['why', 'x'], { socket: path });
  t.is(code, 1);
  t.is(
    err,
    `package-cache-ctl: Cannot run "why": the daemon at ${path} is older and does not know it\n`,
  );
});

test('a daemon that goes away before its answer is a failure', async (t) => {
  const { path } = await startFake(t, { answer: ({ socket }) => socket.terminate() });
  const { code, err } = await here(['status'], { socket: path });
  t.is(code, 1);
  t.is(err, `package-cache-ctl: Cannot ask "${path}": the daemon closed the connection\n`);
});

const noHellos = ['hello?', '[]', '7', '{"jsonrpc":"2.0"}', '{"jsonrpc":"2.0","method":"hello"}'];

for (const hello of noHellos) {
  test(`${hello} is no hello`, async (t) => {
    const { path } = await startFake(t, { hello });
    const { code, err } = await here(['status'], { socket: path });
    t.is(code, 1);
    t.is(err, `package-cache-ctl: Cannot ask "${path}": its answer is no JSON-RPC\n`);
  });
}

test('what speaks another language is no package-cache', async (t) => {
  const path = await startSocket(t, (socket) => socket.end('220 smtp\r\n'));
  const { code, err } = await here(['status'], { socket: path });
  t.is(code, 1);
  t.regex(err, /Cannot reach ".*": no package-cache answers there, .*\n$/);
});

test('what accepts and says nothing is given up', async (t) => {
  const path = await startSocket(t, () => {});
  await t.throwsAsync(connect({ socket: path, env: {}, patience: 50 }), {
    message: /no answer for 0\.05 s|no package-cache answers there/,
  });
});

test('a daemon that hangs in the middle of a command is given up', async (t) => {
  const { path } = await startFake(t, {
    // Stops reading, and so stops answering pings.
    answer: ({ socket }) => socket.pause(),
  });
  const client = await connect({ socket: path, env: {}, beat: 20 });
  await t.throwsAsync(client.call({ method: 'ls' }), { message: /it has stopped answering$/ });
});

test('a daemon that is busy for long, but there, is waited for', async (t) => {
  const { path } = await startFake(t, {
    answer: ({ socket, result }) => {
      let pings = 0;
      socket.on('ping', () => {
        pings += 1;
        if (pings === 6) result('late');
      });
    },
  });
  const client = await connect({ socket: path, env: {}, beat: 10 });
  t.is(await client.call({ method: 'ls' }), 'late');
  client.close();
});

test('Ctrl-C closes the connection, says how far it came, and ends with 130', async (t) => {
  const { path, asked } = await startFake(t, {
    answer: ({ notify }) => notify('rows', { rows: [{ path: 'a', size: 1, lastUse: 0 }] }),
  });
  const log = new Log();
  const ctl = launch(process.execPath, {
    args: [program, '--socket', path, 'cull', '--older-than', '90d', '--list'],
    onLine: (line) => log.add(line),
  });
  log.follow(ctl.exited);
  await log.find(/ a$/);
  asked[0]?.notify('progress', { entries: 1204, bytes: 3 * 1024 ** 3, total: 9000 });
  asked[0]?.notify('rows', { rows: [{ path: 'b', size: 1, lastUse: 0 }] });
  await log.find(/ b$/);
  ctl.signal('SIGINT');
  t.deepEqual(await ctl.exitWithin(5000), { code: 130, signal: null });
  await asked[0]?.gone;
  t.is(log.lines().at(-1), 'package-cache-ctl: stopped; by then it had done 1,204 files, 3.0G');
});
