import test, { type ExecutionContext } from 'ava';
import { open } from '../helpers/client.ts';
import { startDaemon, writeTree } from '../helpers/daemon.ts';
import { canInject, type Injection, inject } from '../helpers/inject.ts';
import { bodyOf } from '../helpers/origin.ts';

const body = bodyOf('faults', 4_000_000);

async function openFaulty(t: ExecutionContext, ...what: readonly Injection[]) {
  const daemon = await startDaemon(t);
  await writeTree(daemon.cacheDir, { 'large.tar.xz': body, 'small.tar.xz': body.subarray(0, 99) });
  await inject(t, daemon.pid, ...what);
  return daemon;
}

const faults: readonly (readonly [promise: string, what: Injection])[] = [
  ['a socket that is full each time', 'sendfile:error=EAGAIN'],
  ['a signal each time', 'sendfile:error=EINTR'],
  ['a file system without sendfile', 'sendfile:error=EINVAL'],
  ['a kernel without sendfile', 'sendfile:error=ENOSYS'],
  ['a sandbox that forbids sendfile', 'sendfile:error=EPERM'],
  ['sendfile failing from the third time on', 'sendfile:error=EIO:when=3+'],
  ['nothing in memory', 'preadv2:error=EAGAIN'],
  ['a file system that cannot tell what is in memory', 'preadv2:error=EOPNOTSUPP'],
  ['a file that is in memory in part', 'preadv2:error=EAGAIN:when=5+3'],
];

for (const [promise, what] of faults) {
  test(`every byte arrives in spite of ${promise}`, async (t) => {
    if (!canInject(t)) return;
    const daemon = await openFaulty(t, what);
    for (let time = 1; time <= 2; time += 1) {
      const answer = await daemon.get('/large.tar.xz');
      t.is(answer.ended, 'complete');
      t.true(answer.body.equals(body));
    }
  });
}

test('a client whose bytes the disk has yet to give keeps nobody else waiting', async (t) => {
  if (!canInject(t)) return;
  const seconds = 3;
  const slow: Injection = `pread64:delay_enter=${seconds}s`;
  const daemon = await openFaulty(t, 'preadv2:error=EAGAIN', slow);
  const reader = open({ port: daemon.port, target: '/large.tar.xz', t });
  const first = reader.read(1).then(() => 'the disk');
  const others = (async () => {
    for (let time = 0; time < 10; time += 1) await daemon.get('/.package-cache/health');
    return 'the others';
  })();
  t.is(await Promise.race([first, others]), 'the others');
});
