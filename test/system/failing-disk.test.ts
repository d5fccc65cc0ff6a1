import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { open } from '../helpers/client.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { bodyOf, gate, startOrigin } from '../helpers/origin.ts';
import { needs } from '../helpers/programs.ts';

const path = '/distfiles/ab/big-1.0.tar.xz';
const body = bodyOf('failing disk', 6_000_000);

/** From here on, every write of the process to a file at an offset fails. */
async function failWrites(t: ExecutionContext, pid: number, errno: string): Promise<void> {
  const inject = `inject=pwrite64,pwritev:error=${errno}`;
  const tracer: ChildProcess = spawn(
    'strace',
    ['-f', '-p', String(pid), '-e', 'trace=pwrite64,pwritev', '-e', inject, '-o', '/dev/null'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const exited = once(tracer, 'exit');
  t.teardown(async () => {
    tracer.kill('SIGINT');
    await exited;
  });
  await Promise.race([
    once(tracer.stderr as NodeJS.ReadableStream, 'data'),
    exited.then(() => Promise.reject(new Error('strace ended'))),
  ]);
}

for (const errno of ['EIO', 'EROFS', 'ENOSPC']) {
  test(`readers notice nothing of ${errno} in the middle of a download, and nothing half is stored`, async (t) => {
    if (!needs(t, 'strace')) return;
    if (process.getuid?.() !== 0) {
      t.log('Not tested: only root may trace what it did not start');
      t.pass();
      return;
    }
    const halfway = gate();
    const origin = await startOrigin(t, {
      files: {
        [path]: (_request, time) =>
          time === 1 ? { body, chunks: { gate: halfway, after: 3_000_000 } } : { body },
      },
    });
    const daemon = await startDaemon(t, { sources: [origin.url] });
    const reader = open({ port: daemon.port, target: path, t });
    t.is((await reader.head).status, 200);
    await halfway.reached;
    await failWrites(t, daemon.pid, errno);
    halfway.open();
    const got = await reader.rest();
    t.is(got.ended, 'complete');
    t.true(got.body.equals(body));
    t.regex(await daemon.logged(/not storing/), new RegExp(errno));
    const joiner = await daemon.get(path);
    t.true(joiner.body.equals(body));
    t.deepEqual(await readdir(daemon.cacheDir), ['.package-cache']);
    t.deepEqual(await readdir(join(daemon.cacheDir, '.package-cache/partial')), []);
  });
}
