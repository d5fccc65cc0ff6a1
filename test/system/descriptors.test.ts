import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { SourcesReply } from '../../daemon/control/reports.ts';
import { type Connection, connection, open } from '../helpers/client.ts';
import { dialControl } from '../helpers/control.ts';
import { type Daemon, startDaemon } from '../helpers/daemon.ts';
import { bodyOf, gate, startOrigin } from '../helpers/origin.ts';
import { needs } from '../helpers/programs.ts';
import { whenThere } from '../helpers/watching.ts';

const body = bodyOf('package', 300_001);
const health = { target: '/.package-cache/health' };

function limit(daemon: Daemon, files: number): void {
  execFileSync('prlimit', ['--pid', String(daemon.pid), `--nofile=${files}:`]);
}

/** A connection that is there before there is no descriptor for another one. */
async function connected(t: ExecutionContext, { port }: Daemon): Promise<Connection> {
  const client = connection({ port, t });
  await client.send(health);
  return client;
}

/** Leaves the daemon not one descriptor, until what this returns is called. */
async function exhaust(t: ExecutionContext, daemon: Daemon): Promise<() => void> {
  const taken = await readdir(`/proc/${daemon.pid}/fd`);
  limit(daemon, Math.max(...taken.map(Number)) + 1);
  // Clients take what is free in between, until one is turned away.
  while (
    await connected(t, daemon).then(
      () => true,
      () => false,
    )
  );
  return () => limit(daemon, 4096);
}

async function stored(daemon: Daemon, target: string): Promise<void> {
  await daemon.get(target);
  await daemon.logged(new RegExp(`stored "${target.slice(1)}"`));
}

test('without a descriptor left a hit is to be asked for again, and nobody is to blame', async (t) => {
  if (!needs(t, 'prlimit')) return;
  const origin = await startOrigin(t, { files: { '*': { body } } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  await stored(daemon, '/distfiles/aa/a.tar.xz');
  const client = await connected(t, daemon);
  const relieve = await exhaust(t, daemon);
  const refused = await client.send({ target: '/distfiles/aa/a.tar.xz' });
  t.is(refused.status, 503);
  t.regex(String(refused.body), /EMFILE/);
  t.truthy(refused.header('retry-after'));
  relieve();
  const hit = await client.send({ target: '/distfiles/aa/a.tar.xz' });
  t.true(hit.body.equals(body));
  t.is(hit.header('cache-status'), 'package-cache; hit');
});

test('a source that cannot be reached for want of descriptors is not to blame', async (t) => {
  if (!needs(t, 'prlimit')) return;
  const origin = await startOrigin(t, { keepAlive: false, files: { '*': { body } } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  await stored(daemon, '/distfiles/aa/a.tar.xz');
  const control = await dialControl(t, daemon.controlSocket);
  const client = await connected(t, daemon);
  const relieve = await exhaust(t, daemon);
  const refused = await client.send({ target: '/distfiles/aa/?passed' });
  t.is(refused.status, 503);
  t.regex(String(refused.body), /EMFILE/);
  t.truthy(refused.header('retry-after'));
  relieve();
  const { reply } = await control.call<SourcesReply>('sources');
  t.like(reply.repositories[0]?.sources[0], { state: 'works', failures: 0 });
  t.true((await client.send({ target: '/distfiles/aa/?passed' })).body.equals(body));
});

test('what is kept at hand makes room for what is asked for', async (t) => {
  if (!needs(t, 'prlimit')) return;
  const origin = await startOrigin(t, { files: { '*': { body } } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  await stored(daemon, '/distfiles/aa/a.tar.xz');
  await stored(daemon, '/distfiles/aa/b.tar.xz');
  const client = await connected(t, daemon);
  await client.send({ target: '/distfiles/aa/b.tar.xz' });
  await exhaust(t, daemon);
  for (const name of ['a', 'b', 'a']) {
    const hit = await client.send({ target: `/distfiles/aa/${name}.tar.xz` });
    t.is(hit.header('cache-status'), 'package-cache; hit');
    t.true(hit.body.equals(body));
  }
});

for (const target of ['/pool/a.tar.xz', '/dists/InRelease']) {
  test(`${target} that was whole when there was no descriptor left is stored when there is one`, async (t) => {
    if (!needs(t, 'prlimit')) return;
    const held = gate();
    const origin = await startOrigin(t, {
      files: { [target]: { body, chunks: { gate: held, after: 300_000 } } },
    });
    const daemon = await startDaemon(t, { sources: [origin.url], conf: { MUTABLE: 'dists/**' } });
    const reader = open({ port: daemon.port, target, t });
    await reader.read(300_000);
    const client = await connected(t, daemon);
    const relieve = await exhaust(t, daemon);
    held.open();
    const { ended } = await reader.rest();
    t.is(ended, 'complete');
    // The directory that is made for it has to be synced, for which there is no descriptor.
    const folder = dirname(join(daemon.cacheDir, target));
    await whenThere(daemon.cacheDir, async () => (existsSync(folder) ? true : undefined));
    relieve();
    await daemon.logged(new RegExp(`stored "${target.slice(1)}"`));
    const hit = await client.send({ target });
    t.true(hit.body.equals(body));
    t.is(hit.header('cache-status'), 'package-cache; hit');
    t.is(origin.count(target), 1);
  });
}

test('a list that cannot have a thread for want of descriptors fails, and nothing else does', async (t) => {
  if (!needs(t, 'prlimit')) return;
  const origin = await startOrigin(t, { files: { '*': { body } } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  await stored(daemon, '/distfiles/aa/a.tar.xz');
  const control = await dialControl(t, daemon.controlSocket);
  const client = await connected(t, daemon);
  const relieve = await exhaust(t, daemon);
  for (const method of ['ls', 'cull']) {
    const { error } = await control.call(method, method === 'ls' ? {} : { olderThan: '1d' });
    t.is(error?.data?.code, 'storage', error?.message);
  }
  t.is((await client.send(health)).status, 200);
  relieve();
  t.is((await control.call('ls', {})).rows.length, 1);
});
