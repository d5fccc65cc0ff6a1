import { readFile, writeFile } from 'node:fs/promises';
import test from 'ava';
import type { ReloadReply, StatusReply } from '../../daemon/control/reports.ts';
import { errorCodes } from '../../daemon/control/wire.ts';
import { open } from '../helpers/client.ts';
import { dialControl } from '../helpers/control.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { bodyOf, gate, startOrigin } from '../helpers/origin.ts';

const body = bodyOf('package', 300_001);
const target = '/distfiles/aa/package.tar.xz';

test('a reload tells what changed and what waits for a restart, and drops nothing', async (t) => {
  const held = gate();
  t.teardown(held.open);
  const origin = await startOrigin(t, {
    files: { [target]: { body, chunks: { gate: held, after: 100_000 } } },
  });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const control = await dialControl(t, daemon.controlSocket);
  const stream = open({ port: daemon.port, target, t });
  await stream.read(100_000);
  await daemon.configure({ MUTABLE_TTL: '5m', MAX_FILLS: '3', PC_USER: 'somebody' });
  const { reply } = await control.call<ReloadReply>('reload');
  t.is(reply.configFile, daemon.confFile);
  t.deepEqual(reply.live.toSorted(), ['MAX_FILLS', 'MUTABLE_TTL']);
  t.deepEqual(reply.restart, ['PC_USER']);
  const { degraded } = (await control.call<StatusReply>('status')).reply;
  t.deepEqual(degraded, ['a restart is needed for PC_USER']);
  held.open();
  t.is((await stream.rest()).ended, 'complete');
  const again = await control.call<ReloadReply>('reload');
  t.deepEqual(again.reply.live, []);
});

test('a file that is wrong changes nothing, and the error names file, line and key', async (t) => {
  const origin = await startOrigin(t);
  const daemon = await startDaemon(t, { sources: [origin.url], conf: { LOG_LEVEL: 'debug' } });
  const control = await dialControl(t, daemon.controlSocket);
  const right = await readFile(daemon.confFile, 'utf8');
  const lines = right.split('\n').length;
  await writeFile(daemon.confFile, `${right.replace('debug', 'error')}MUTABLE_TLT="5m"\n`);
  const { error } = await control.call('reload');
  t.like(error, { code: errorCodes.failed, data: { code: 'config' } });
  t.true(error?.message.includes(daemon.confFile));
  t.regex(error?.message ?? '', new RegExp(`\\b${lines}\\b.*MUTABLE_TLT.*MUTABLE_TTL`));
  t.is((await control.call<StatusReply>('status')).reply.logLevel, 'debug');
});

test('what makes a daemon less than it should be is told in words', async (t) => {
  const origin = await startOrigin(t, { files: { [target]: { status: 500 } } });
  const daemon = await startDaemon(t, { sources: [origin.url], conf: { MIN_FREE: '99%' } });
  const control = await dialControl(t, daemon.controlSocket);
  await daemon.get(target);
  const { reply } = await control.call<StatusReply>('status');
  t.false(reply.cache.storing);
  t.regex(
    reply.degraded.join('\n'),
    /^files are passed on and not stored: .+\nno source of SOURCES/,
  );
  t.like(reply.repositories[0]?.sources[0], { state: 'aside', failures: 1 });
  t.true(Number(reply.repositories[0]?.sources[0]?.retryAt) > Date.now() - 60_000);
});
