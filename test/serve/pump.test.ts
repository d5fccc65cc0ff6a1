import { open } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { reads } from '../../daemon/serve/pump.ts';
import { request } from '../helpers/client.ts';
import { tempDir, writeTree } from '../helpers/files.ts';
import { bodyOf } from '../helpers/origin.ts';

test('reads grow with what there is to send, and stay within 64 KiB', async (t) => {
  const directory = await tempDir(t);
  const body = bodyOf('pump', 200_000);
  await writeTree(directory, { file: body });
  const file = await open(join(directory, 'file'));
  t.teardown(() => file.close());
  const moved: number[] = [];
  const server = createServer(async (_request, response) => {
    const pump = reads.open(response, file);
    let start = 0;
    // As a download grows: a few bytes first, then as many as anybody could want.
    for (const end of [10, 1000, body.length, body.length, body.length, body.length]) {
      const bytes = await pump.move({ start, end });
      moved.push(bytes);
      start += bytes;
    }
    response.end();
  });
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const answer = await request({ port, target: '/', t });
  t.deepEqual(moved, [10, 990, 65_536, 65_536, 65_536, 2392]);
  t.true(answer.body.equals(body));
});
