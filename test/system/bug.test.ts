import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { tempDir } from '../helpers/files.ts';
import { Log } from '../helpers/log.ts';
import { launch, root } from '../helpers/process.ts';
import { linesThrough } from '../helpers/watching.ts';

/** What becomes of a daemon in which something happens that nobody foresaw. */
async function happens(t: ExecutionContext, bug: string, logFile?: string) {
  const directory = await tempDir(t);
  const confFile = join(directory, 'conf');
  const lines = [`CACHE_DIR="${directory}/cache"`, 'HOST="127.0.0.1"', 'PORT="0"'];
  lines.push(`CONTROL_SOCKET="${directory}/control.sock"`);
  if (logFile !== undefined) lines.push(`LOG_FILE="${logFile}"`);
  await writeFile(confFile, lines.map((line) => `${line}\n`).join(''));
  const preload = `process.on('SIGUSR2', async () => { ${bug} }); process.stderr.write('ready\\n');`;
  const log = new Log();
  const daemon = launch(process.execPath, {
    args: [
      `--import=data:text/javascript,${encodeURIComponent(preload)}`,
      ...[join(root, 'daemon/main.ts'), '--config', confFile],
    ],
    onLine: (line) => log.add(line),
  });
  log.follow(daemon.exited);
  t.teardown(() => daemon.signal('SIGKILL'));
  return { daemon, log };
}

for (const [what, bug] of [
  ['a promise that is rejected and that nobody awaits', 'Promise.reject(new Error("one bug"));'],
  ['an error that nobody catches', 'setImmediate(() => { throw new Error("one bug"); });'],
] as const) {
  test(`${what} is a bug: it says so, and exits 70`, async (t) => {
    const { daemon, log } = await happens(t, bug);
    await log.find(/listening/);
    daemon.signal('SIGUSR2');
    t.deepEqual(await daemon.exitWithin(10_000), { code: 70, signal: null });
    const [told = '', trace = ''] = log.lines().slice(-3);
    t.regex(told, /^package-cache: Cannot run "package-cache": a bug, .*: Error: one bug$/);
    t.regex(trace, /^ +at /);
  });
}

test('a bug that looks like a fault of the configuration does not keep it from being started again', async (t) => {
  const errors = pathToFileURL(join(root, 'daemon/errors.ts'));
  const { daemon, log } = await happens(
    t,
    `const place = '${errors}';
     const { CacheError } = await import(place);
     throw new CacheError('config', { verb: 'do', thing: 'it', reason: 'one bug' });`,
  );
  await log.find(/listening/);
  daemon.signal('SIGUSR2');
  t.is((await daemon.exitWithin(10_000)).code, 70);
});

test('a bug is told in LOG_FILE and on standard error, for nobody may read that', async (t) => {
  const logFile = join(await tempDir(t), 'log');
  const bugs = 'Promise.reject(new Error("one bug")); Promise.reject(new Error("another"));';
  const { daemon, log } = await happens(t, bugs, logFile);
  const lines = await linesThrough(logFile, /listening/);
  t.deepEqual(
    lines.filter((line) => line.includes('bug')),
    [],
  );
  daemon.signal('SIGUSR2');
  t.is((await daemon.exitWithin(10_000)).code, 70);
  t.regex(
    await readFile(logFile, 'utf8'),
    / error: Cannot run "package-cache": a bug, .*: Error: one bug/,
  );
  t.regex(log.lines().join('\n'), /^package-cache: Cannot run .* Error: one bug$/m);
});
