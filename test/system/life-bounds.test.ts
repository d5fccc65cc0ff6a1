import { access } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Config, loadConfig } from '../../daemon/config/config.ts';
import { type Daemon, openDaemon } from '../../daemon/daemon.ts';
import { connection, open } from '../helpers/client.ts';
import { tempDir } from '../helpers/files.ts';
import { bodyOf, startOrigin } from '../helpers/origin.ts';

const target = '/distfiles/3c/package.tar.xz';
const body = bodyOf('package', 1_000_003);

interface Here {
  readonly daemon: Daemon;
  readonly port: number;
  readonly cacheDir: string;
  /** Resolves when an answer is over, however it ended. */
  readonly answered: Promise<void>;
}

/** The daemon in this process, with bounds that are too short for a real one. */
async function openHere(
  t: ExecutionContext,
  { source, grace, ...limits }: { source: string; grace?: number } & Partial<Config>,
): Promise<Here> {
  const cacheDir = await tempDir(t);
  const argv = ['--cache', cacheDir, '--port', '0', '--source', source];
  const answered = Promise.withResolvers<void>();
  const nothing = () => {};
  const later = async () => {};
  const log = { error: nothing, warn: nothing, info: nothing, debug: nothing };
  const daemon = await openDaemon({
    config: { ...loadConfig({ argv, env: {} }), accessLog: '/dev/null', ...limits },
    log: {
      ...log,
      access: () => answered.resolve(),
      configure: later,
      setLevel: nothing,
      close: later,
    },
    version: '0',
    ...(grace === undefined ? {} : { grace }),
  });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= daemon.close();
    return closed;
  };
  t.teardown(close);
  const port = daemon.places[0]?.port ?? 0;
  return { daemon: { ...daemon, close }, port, cacheDir, answered: answered.promise };
}

test('a transfer that does not end within the bound is reset, and stays no half package', async (t) => {
  const origin = await startOrigin(t, { files: { [target]: { body, stallAfter: 100_001 } } });
  const { daemon, port, cacheDir } = await openHere(t, { source: origin.url, grace: 200 });
  const stream = open({ port, target, t });
  await stream.read(100_001);
  await daemon.close();
  t.is((await stream.rest()).ended, 'reset');
  await t.throwsAsync(access(join(cacheDir, target)), { code: 'ENOENT' });
});

test('a client that takes nothing of a stored file is reset at the bound', async (t) => {
  const size = 32 * 1024 ** 2;
  const origin = await startOrigin(t, { files: { [target]: { generate: { seed: 1, size } } } });
  const { daemon, port } = await openHere(t, { source: origin.url, grace: 200 });
  const stream = open({ port, target, t });
  await stream.head;
  stream.pause();
  await daemon.close();
  stream.resume();
  const got = await stream.rest();
  t.is(got.ended, 'reset');
  t.true(got.body.equals(bodyOf(1, size).subarray(0, got.body.length)));
});

test('with nothing under way it does not wait for the bound', async (t) => {
  const origin = await startOrigin(t, { files: { [target]: { body } } });
  const { daemon, port } = await openHere(t, { source: origin.url, grace: 60_000 });
  const line = connection({ port, t });
  await line.send({ target });
  const began = performance.now();
  await daemon.close();
  t.true(performance.now() - began < 10_000);
  t.is(await line.closed, 'fin');
});

test('a client that takes no byte for too long is reset, and gets no clean end', async (t) => {
  const size = 32 * 1024 ** 2;
  const origin = await startOrigin(t, {
    files: { [target]: { generate: { seed: 1, size }, length: 'chunked' } },
  });
  const { port, answered } = await openHere(t, { source: origin.url, stallTimeout: 2000 });
  // Without a length and chunks, an end is all that such a client has to go by.
  const stream = open({ port, target, version: '1.0', t });
  await stream.head;
  stream.pause();
  await answered;
  stream.resume();
  t.is((await stream.rest()).ended, 'reset');
});
