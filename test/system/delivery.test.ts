import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { StatusReply } from '../../daemon/control/reports.ts';
import { connection, open, raw } from '../helpers/client.ts';
import { dialControl } from '../helpers/control.ts';
import { type Daemon, startDaemon, writeTree } from '../helpers/daemon.ts';
import { bodyOf, gate, type Origin, startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { partsOf } from './parts.ts';

const large = bodyOf('large', 9_000_000);
const edge = 64 * 1024;
const stored: Readonly<Record<string, Buffer>> = {
  'empty.tar.xz': Buffer.alloc(0),
  'one.tar.xz': bodyOf('one', 1),
  'below.tar.xz': bodyOf('below', edge - 1),
  'edge.tar.xz': bodyOf('edge', edge),
  'above.tar.xz': bodyOf('above', edge + 1),
  'large.tar.xz': large,
};

interface Scene {
  readonly origin: Origin;
  readonly daemon: Daemon;
}

async function openScene(t: ExecutionContext, sendfile: 'yes' | 'no'): Promise<Scene> {
  const origin = await startOrigin(t);
  const daemon = await startDaemon(t, { sources: [origin.url], conf: { SENDFILE: sendfile } });
  await writeTree(daemon.cacheDir, stored);
  return { origin, daemon };
}

const ways = [
  ['yes', 'sendfile', share(test, (t) => openScene(t, 'yes'))],
  ['no', 'reads', share(test, (t) => openScene(t, 'no'))],
] as const;

for (const [, way, scene] of ways) {
  test(`by ${way}: status says so`, async (t) => {
    const control = await dialControl(t, scene().daemon.controlSocket);
    const { reply } = await control.call<StatusReply>('status');
    t.is(reply.delivery, way);
  });

  for (const [name, body] of Object.entries(stored)) {
    test(`by ${way}: ${name} of ${body.length} bytes, twice on one connection`, async (t) => {
      const line = connection({ port: scene().daemon.port, t });
      for (let time = 1; time <= 2; time += 1) {
        const answer = await line.send({ target: `/${name}` });
        t.like(answer, { status: 200, ended: 'complete', surplus: 0 });
        t.is(answer.header('cache-status'), 'package-cache; hit');
        t.true(answer.body.equals(body));
      }
    });
  }

  test(`by ${way}: a range, and the parts of several`, async (t) => {
    const { daemon } = scene();
    const ask = (range: string) =>
      daemon.get('/large.tar.xz', { fields: [['Range', `bytes=${range}`]] });
    const one = await ask('1000-7999999');
    t.true(one.body.equals(large.subarray(1000, 8_000_000)));
    const several = await ask('5-2000004,4000000-4000000,7000000-');
    const pieces = partsOf(several).map(({ bytes }) => bytes);
    t.is(pieces.length, 3);
    t.true(pieces[0]?.equals(large.subarray(5, 2_000_005)));
    t.true(pieces[1]?.equals(large.subarray(4_000_000, 4_000_001)));
    t.true(pieces[2]?.equals(large.subarray(7_000_000)));
  });

  test(`by ${way}: answers to a pipeline keep their order, large ones between small ones`, async (t) => {
    const line = connection({ port: scene().daemon.port, t });
    const names = ['one', 'large', 'empty', 'above', 'large', 'below'].map((n) => `${n}.tar.xz`);
    const answers = await Promise.all(names.map((name) => line.send({ target: `/${name}` })));
    for (const [at, name] of names.entries())
      t.true(answers[at]?.body.equals(stored[name] as Buffer));
  });

  test(`by ${way}: a client that stops reading for a while gets every byte`, async (t) => {
    const { daemon } = scene();
    const reader = open({ port: daemon.port, target: '/large.tar.xz', t });
    const first = await reader.read(100_000);
    reader.pause();
    // Served beside it: whoever stalls holds nothing that others need.
    for (let time = 0; time < 20; time += 1) {
      t.true((await daemon.get('/above.tar.xz')).body.equals(stored['above.tar.xz'] as Buffer));
    }
    reader.resume();
    const rest = await reader.rest();
    t.true(Buffer.concat([first, rest.body]).equals(large));
  });

  test(`by ${way}: HTTP/1.0, which ends with the connection`, async (t) => {
    const text = 'GET /large.tar.xz HTTP/1.0\r\n\r\n';
    const answer = await raw(scene().daemon.port, text, { silence: 5000 });
    t.true(answer.subarray(answer.indexOf('\r\n\r\n') + 4).equals(large));
  });

  for (const length of ['known', 'unknown'] as const) {
    test(`by ${way}: a download in progress whose length is ${length}`, async (t) => {
      const { origin, daemon } = scene();
      const target = `/filling-${length}.tar.xz`;
      const body = bodyOf(target, 3_000_000);
      const held = gate();
      origin.serve(target, {
        body,
        chunks: { gate: held, after: 1_500_000 },
        length: length === 'known' ? 'honest' : 'chunked',
      });
      const readers = Array.from({ length: 5 }, () => open({ port: daemon.port, target, t }));
      const starts = await Promise.all(readers.map((reader) => reader.read(1_400_000)));
      await held.reached;
      held.open();
      const ends = await Promise.all(readers.map((reader) => reader.rest()));
      for (const [at, { body: end }] of ends.entries()) {
        t.true(Buffer.concat([starts[at] as Buffer, end]).equals(body));
      }
    });
  }

  test(`by ${way}: a file that is made shorter meanwhile breaks the connection`, async (t) => {
    const { daemon } = scene();
    await writeTree(daemon.cacheDir, { 'shrinks.tar.xz': bodyOf('shrinks', 40_000_000) });
    const reader = open({ port: daemon.port, target: '/shrinks.tar.xz', t });
    await reader.read(1000);
    reader.pause();
    await truncate(join(daemon.cacheDir, 'shrinks.tar.xz'), 30_000_000);
    reader.resume();
    t.is((await reader.rest()).ended, 'reset');
    await daemon.logged(/bytes from .*: the file was made shorter while it was read/);
  });
}
