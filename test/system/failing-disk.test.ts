import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { open } from '../helpers/client.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { canInject, inject } from '../helpers/inject.ts';
import { bodyOf, gate, startOrigin } from '../helpers/origin.ts';

const path = '/distfiles/ab/big-1.0.tar.xz';
const body = bodyOf('failing disk', 6_000_000);

for (const errno of ['EIO', 'EROFS', 'ENOSPC']) {
  test(`readers notice nothing of ${errno} in the middle of a download, and nothing half is stored`, async (t) => {
    if (!canInject(t)) return;
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
    await inject(t, daemon.pid, `pwrite64,pwritev:error=${errno}`);
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
