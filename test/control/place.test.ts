import { once } from 'node:events';
import { chmod, lstat, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { admitGroup, clearPlace, controlPlaces } from '../../daemon/control/place.ts';
import { CacheError } from '../../daemon/errors.ts';
import { tempDir } from '../helpers/files.ts';

async function socketIn(t: ExecutionContext, name = 'control.sock'): Promise<string> {
  return join(await tempDir(t), name);
}

async function refusal(t: ExecutionContext, path: string): Promise<CacheError> {
  return (await t.throwsAsync(clearPlace(path), { instanceOf: CacheError })) as CacheError;
}

test('a missing directory is made, which only its owner may write to', async (t) => {
  const path = await socketIn(t, 'run/control.sock');
  await clearPlace(path);
  t.is((await stat(join(path, '..'))).mode & 0o022, 0);
});

test('a socket that somebody listens on stays, and is told from a stale one', async (t) => {
  const path = await socketIn(t);
  const server = createServer().listen(path);
  t.teardown(() => server.close());
  await once(server, 'listening');
  const error = await refusal(t, path);
  t.is(error.code, 'in-use');
  t.true(error.message.includes(path));
  t.true((await lstat(path)).isSocket());
});

test('what is no socket is never removed', async (t) => {
  const path = await socketIn(t);
  await writeFile(path, 'precious');
  t.regex((await refusal(t, path)).message, /no socket/);
  t.is(await readFile(path, 'utf8'), 'precious');
});

test('a path that no socket address can hold is refused by name', async (t) => {
  const path = await socketIn(t, `${'x'.repeat(107)}.sock`);
  t.regex((await refusal(t, path)).message, /x{107}\.sock": .*107 bytes/);
});

test('a directory that others may write to is refused with the way out', async (t) => {
  const folder = await tempDir(t);
  for (const mode of [0o777, 0o775]) {
    await chmod(folder, mode);
    t.regex((await refusal(t, join(folder, 'control.sock'))).message, /chmod go-w/);
  }
  await chmod(folder, 0o1777);
  await t.notThrowsAsync(clearPlace(join(folder, 'control.sock')));
});

test('a parent that others may write to is refused too: they could swap what is in it', async (t) => {
  const folder = await tempDir(t);
  await mkdir(join(folder, 'run'), { mode: 0o755 });
  await chmod(folder, 0o777);
  t.regex((await refusal(t, join(folder, 'run/control.sock'))).message, /chmod go-w/);
});

test('a group that does not exist is named, and only the owner gets in', async (t) => {
  const path = await socketIn(t);
  await writeFile(path, '');
  const error = await t.throwsAsync(admitGroup(path, 'no-such-group'), { instanceOf: CacheError });
  t.regex(error?.message ?? '', /"no-such-group"/);
  t.is((await stat(path)).mode & 0o777, 0o600);
});

test('a group gets in, by name and by number', async (t) => {
  const path = await socketIn(t);
  await writeFile(path, '');
  const own = process.getgid?.() ?? 0;
  const lines = (await readFile('/etc/group', 'utf8')).split('\n');
  const name = lines.find((line) => line.split(':')[2] === String(own))?.split(':')[0];
  for (const group of [String(own), name, undefined]) {
    await admitGroup(path, group);
    const { mode, gid } = await stat(path);
    t.deepEqual([mode & 0o777, gid], [0o660, own]);
  }
});

test('CONTROL_SOCKET is the one place; else the service directory comes first', async (t) => {
  const env = { RUNTIME_DIRECTORY: '/run/a:/run/b', XDG_RUNTIME_DIR: '/run/user/7' };
  t.deepEqual(await controlPlaces({ controlSocket: '/c', env }), ['/c']);
  const places = await controlPlaces({ env });
  t.is(places[0], '/run/a/control.sock');
  t.is(places.at(-1), '/run/user/7/package-cache/control.sock');
  t.false((await controlPlaces({ env: {} })).includes('/run/a/control.sock'));
});
