import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { FetchReply } from '../../daemon/control/content-reports.ts';
import { distfilePath } from '../../daemon/gentoo/distfile.ts';
import { here } from '../ctl/here.ts';
import { dialControl, paramsOf } from '../helpers/control.ts';
import { type Daemon, startDaemon } from '../helpers/daemon.ts';
import { filesBelow } from '../helpers/entries.ts';
import { tempDir, writeTree } from '../helpers/files.ts';
import { root, run } from '../helpers/process.ts';
import { needs } from '../helpers/programs.ts';
import { body, openContent, rotten } from './content.ts';

const names = ['a.tar.xz', 'b.tar.xz', 'c.tar.xz'];

function ask({ controlSocket }: Daemon, ...args: readonly string[]) {
  return here(args, { socket: controlSocket, now: Date.now });
}

/** A DISTDIR with some files in it. */
async function distdir(t: ExecutionContext, files: Readonly<Record<string, Buffer | string>>) {
  const directory = await tempDir(t);
  await writeTree(directory, files);
  return directory;
}

test('what is imported serves clients of either layout, without a source', async (t) => {
  const { daemon, origin } = await openContent(t, { named: names });
  const directory = await distdir(t, { 'a.tar.xz': body, 'b.tar.xz': rotten, 'odd.tar.xz': 'x' });
  await utimes(join(directory, 'a.tar.xz'), 1_700_000_000, 1_700_000_000.25);
  const { code, out } = await ask(daemon, 'import', directory);
  t.is(code, 1);
  t.regex(out, /^stored +195K {2}a\.tar\.xz$/m);
  t.regex(out, /^failed +- {2}b\.tar\.xz: expected BLAKE2B \S+…, found \S+…$/m);
  t.regex(out, /^failed +- {2}odd\.tar\.xz: no Manifest names it$/m);
  t.true(out.endsWith('Imported 1 file, 195K; 2 failed.\n'), out);
  for (const path of ['distfiles/a.tar.xz', distfilePath('a.tar.xz')]) {
    const answer = await daemon.get(`/${path}`);
    t.true(answer.body.equals(body));
    t.is(answer.header('last-modified'), 'Tue, 14 Nov 2023 22:13:20 GMT');
    t.regex(answer.header('cache-status') ?? '', /; hit/);
  }
  t.deepEqual(origin.requests, []);
  t.deepEqual(await filesBelow(daemon.cacheDir), [distfilePath('a.tar.xz')]);
  t.is((await stat(join(daemon.cacheDir, distfilePath('a.tar.xz')))).mode & 0o777, 0o644);
  t.deepEqual(await readdir(join(daemon.cacheDir, '.package-cache/partial')), []);
  const { entries, bytes } = JSON.parse((await ask(daemon, 'stats', '--json')).out);
  t.deepEqual([entries, bytes], [1, body.length]);
  await daemon.logged(/imported 1 file \(195K\), 0 stored before, 2 failed, from "\//);
});

test('what was imported is left alone the next time, and the exit status is 0', async (t) => {
  const { daemon } = await openContent(t, { named: names });
  const directory = await distdir(t, { 'a.tar.xz': body });
  t.is((await ask(daemon, 'import', directory, '--quiet')).code, 0);
  const again = await ask(daemon, 'import', '--json', directory);
  t.is(again.code, 0);
  t.deepEqual(JSON.parse(again.out), {
    rows: [{ path: 'a.tar.xz', outcome: 'present', size: body.length, reason: null }],
    stored: 0,
    present: 1,
    failed: 0,
    bytes: 0,
  });
});

test('a relative path is that of whoever types it', async (t) => {
  const { daemon } = await openContent(t, { named: names });
  const directory = await distdir(t, { 'distfiles/a.tar.xz': body });
  const { code, stdout } = await run(process.execPath, {
    args: [join(root, 'ctl/main.ts'), '--socket', daemon.controlSocket, 'import', 'distfiles'],
    cwd: directory,
    within: 20_000,
  });
  t.is(code, 0, stdout);
  const control = await dialControl(t, daemon.controlSocket);
  const { error } = await control.call('import', { directory: 'distfiles' });
  t.is(error?.data?.argument, 'directory');
});

test('an import beside a download of the same file harms neither', async (t) => {
  const { daemon, origin } = await openContent(t, { named: names });
  const directory = await distdir(t, Object.fromEntries(names.map((name) => [name, body])));
  const gets = names.map((name) => daemon.get(`/distfiles/${name}`));
  const [imported, ...answers] = await Promise.all([ask(daemon, 'import', directory), ...gets]);
  t.is(imported.code, 0);
  for (const answer of answers) {
    t.is(answer.status, 200);
    t.true(answer.body.equals(body));
  }
  await Promise.all(
    origin.requests.map(({ target }) => daemon.logged(new RegExp(`stored "${target.slice(1)}"`))),
  );
  for (const name of names) {
    t.true((await readFile(join(daemon.cacheDir, distfilePath(name)))).equals(body));
  }
  const { entries } = JSON.parse((await ask(daemon, 'stats', '--json')).out);
  t.is(entries, 3);
});

test('files of some hundred megabytes are imported while others are served', async (t) => {
  const size = 200 * 1024 ** 2;
  const { daemon } = await openContent(t, { named: names, stored: { 'a.tar.xz': body } });
  const directory = await tempDir(t);
  await writeFile(join(directory, 'large.bin'), Buffer.alloc(size));
  const control = await dialControl(t, daemon.controlSocket);
  const params = { directory, unverified: true };
  control.write(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'import', params }));
  let [done, hits] = [false, 0];
  const answer = control
    .next(({ id }) => id === 1)
    .finally(() => {
      done = true;
    });
  while (!done) {
    t.is((await daemon.get(`/${distfilePath('a.tar.xz')}`)).status, 200);
    hits += 1;
  }
  t.like((await answer).result as FetchReply, { stored: 1, bytes: size });
  // One or two, if the files were copied and hashed where requests are answered.
  t.true(hits >= 10, `${hits} hits`);
  const progress = control.messages.filter(({ method }) => method === 'progress').map(paramsOf);
  t.true(progress.every(({ total, totalBytes }) => total === 1 && totalBytes === size));
});

test('an import ends with its client, and a second one waits for nobody', async (t) => {
  const { daemon } = await openContent(t, { named: names });
  const directory = await tempDir(t);
  const files = Array.from({ length: 300 }, (_, index) => [`${index}.bin`, Buffer.alloc(200_000)]);
  await writeTree(directory, Object.fromEntries(files));
  const [first, second] = [
    await dialControl(t, daemon.controlSocket),
    await dialControl(t, daemon.controlSocket),
  ];
  const params = { directory, unverified: true };
  first.write(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'import', params }));
  await first.next(({ method }) => method === 'rows');
  const refused = await second.call('import', params);
  t.is(refused.error?.data?.code, 'busy');
  first.close();
  await first.closed;
  let last = refused;
  while (last.error?.data?.code === 'busy') last = await second.call<never>('import', params);
  const { stored, present, failed } = last.reply as unknown as FetchReply;
  t.is(stored + present, 300);
  t.true(present > 0);
  t.is(failed, 0);
  t.deepEqual(await readdir(join(daemon.cacheDir, '.package-cache/partial')), []);
});

test('what a crash left of an import is gone after the next start', async (t) => {
  const { daemon } = await openContent(t, { named: names });
  const left = join(daemon.cacheDir, '.package-cache/partial/0123456789abcdef.import');
  await daemon.kill();
  await writeFile(left, body);
  await daemon.restart();
  t.deepEqual(await readdir(join(daemon.cacheDir, '.package-cache/partial')), []);
});

test('a directory that the daemon may not read is told with the way out', async (t) => {
  if (process.getuid?.() !== 0) {
    t.log('Not tested: only root starts a daemon as another user');
    return t.pass();
  }
  if (!needs(t, 'setpriv')) return;
  const { daemon } = await openContent(t, { named: names, user: 'nobody' });
  const directory = await tempDir(t);
  await chmod(directory, 0o755);
  const closed = join(directory, 'distfiles');
  await mkdir(closed, { mode: 0o700 });
  await writeFile(join(closed, 'a.tar.xz'), body, { mode: 0o600 });
  const { code, err } = await ask(daemon, 'import', closed);
  t.is(code, 1);
  t.regex(
    err,
    /user nobody \(uid \d+\) may not read it; mend it with: chmod -R o\+rX '\/.*distfiles'/,
  );
  await chmod(closed, 0o755);
  const { out } = await ask(daemon, 'import', closed);
  t.regex(out, /^failed +- {2}a\.tar\.xz: .*permission denied/m);
  execFileSync('chmod', ['-R', 'o+rX', closed]);
  const linked = await ask(daemon, 'import', '--link', closed);
  t.regex(
    linked.out,
    /a\.tar\.xz: it belongs to another user \(uid 0\); without --link it is copied/,
  );
  t.is((await ask(daemon, 'import', closed)).code, 0);
});

test('a directory that the unit hides from the service is told with the setting', async (t) => {
  // systemd.exec(5): every service has it.
  const daemon = await startDaemon(t, { env: { INVOCATION_ID: '0123456789abcdef' } });
  const said = async (path: string) => (await ask(daemon, 'import', path)).err;
  const hidden = /the unit hides it; let it see it with (.*) \(systemctl edit\)$/m;
  t.is(hidden.exec(await said('/home/nobody/distfiles'))?.[1], 'ProtectHome=read-only');
  const path = '/tmp/nowhere/distfiles';
  t.is(hidden.exec(await said(path))?.[1], `BindReadOnlyPaths=${path}`);
  t.regex(await said('/srv/nowhere'), /: it does not exist$/m);
});
