import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ExecutionContext } from 'ava';
import { needs } from './programs.ts';

/** What strace makes of system calls, as its option `inject` has it: `sendfile:error=EIO`. */
export type Injection = `${string}:${string}`;

/** Whether faults can be injected here; says so, and passes the test, where they cannot. */
export function canInject(t: ExecutionContext): boolean {
  if (!needs(t, 'strace')) return false;
  if (process.getuid?.() === 0) return true;
  t.log('Not tested: only root may trace what it did not start');
  t.pass();
  return false;
}

/** From here on until the test ends, system calls of a process end as it is told. */
export function inject(
  t: ExecutionContext,
  pid: number,
  ...what: readonly Injection[]
): Promise<void> {
  return injectInto(t, { pid, only: [] }, ...what);
}

/** The same for the calls that have to do with one file. */
export function injectAt(
  t: ExecutionContext,
  { pid, path }: { readonly pid: number; readonly path: string },
  ...what: readonly Injection[]
): Promise<void> {
  return injectInto(t, { pid, only: ['-P', path] }, ...what);
}

async function injectInto(
  t: ExecutionContext,
  { pid, only }: { readonly pid: number; readonly only: readonly string[] },
  ...what: readonly Injection[]
): Promise<void> {
  const calls = what.map((one) => one.slice(0, one.indexOf(':')));
  const faults = what.flatMap((one) => ['-e', `inject=${one}`]);
  const tracer: ChildProcess = spawn(
    'strace',
    [
      '-f',
      '-p',
      String(pid),
      ...only,
      '-e',
      `trace=${calls.join(',')}`,
      ...faults,
      '-o',
      '/dev/null',
    ],
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
