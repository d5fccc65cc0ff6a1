import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { request } from '../helpers/client.ts';
import { type Daemon, startDaemon } from '../helpers/daemon.ts';
import { survivesKills } from '../helpers/kills.ts';
import { bodyOf, gate, startOrigin } from '../helpers/origin.ts';
import { whenThere } from '../helpers/watching.ts';

/** A download that may be resumed leaves a record beside its bytes, some time after its start. */
async function recorded({ cacheDir }: Daemon): Promise<void> {
  const folder = join(cacheDir, '.package-cache/partial');
  await whenThere(folder, async () => (await readdir(folder)).find((name) => /\.json$/.test(name)));
}

test('a daemon killed at any moment leaves whole files only, and serves rightly again', async (t) => {
  t.timeout(120_000);
  await survivesKills(t, 20);
});

test('what a killed daemon had of a download is not fetched again', async (t) => {
  const body = bodyOf('resumed', 3_000_000);
  const target = '/distfiles/0/resumed.tar';
  const held = gate();
  const origin = await startOrigin(t, {
    files: {
      [target]: (_request, time) =>
        time === 1 ? { body, chunks: { gate: held, after: 2_000_000 } } : { body },
    },
  });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const client = request({ port: daemon.port, target });
  client.catch(() => {});
  await held.reached;
  await recorded(daemon);
  await daemon.kill();
  await client.catch(() => {});
  await daemon.restart();
  const again = await daemon.get(target);
  t.true(again.body.equals(body));
  t.is(origin.count(target), 2);
  const range = /^bytes=(\d+)-$/.exec((await origin.arrived(target, 2)).headerOf('range') ?? '');
  t.true(Number(range?.[1]) > 0);
});
