import { stat, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { type Answer, open, type RequestOptions, request, type Stream } from '../helpers/client.ts';
import { type Origin, type OriginOptions, startOrigin } from '../helpers/origin.ts';
import { root } from '../helpers/process.ts';
import type { Host } from './host/host.ts';
import type { Kind } from './host/kinds.ts';
import { startHost } from './host/start.ts';
import { type Service, serviceOf } from './service.ts';

/** A host with the package cache installed. */
export interface Scene {
  readonly host: Host;
  readonly service: Service;
}

/** Boots a host and installs there what this checkout has built. */
export async function openScene(t: ExecutionContext, kind: Kind): Promise<Scene> {
  const shown = { '/usr/bin/node': process.execPath, '/src': root };
  const host = await startHost(t, { kind, shown });
  await host.sh(`/src/contrib/install --${kind.init}`);
  return { host, service: serviceOf(host) };
}

export type Conf = Readonly<Record<string, string>>;

/** Stops what earlier tests left, empties the cache and configures the service for an origin. */
export async function begin(
  t: ExecutionContext,
  { host, service }: Scene,
  { conf = {}, ...options }: OriginOptions & { readonly conf?: Conf } = {},
): Promise<Origin> {
  await service.stop();
  await service.forget();
  await host.sh(`
    rm -rf /var/cache/package-cache/* /var/cache/package-cache/.package-cache
    rm -f /var/log/package-cache/*
  `);
  const origin = await startOrigin(t, { ...options, address: host.machine });
  await configure(host, { SOURCES: origin.url, ...conf });
  t.teardown(async () => {
    if (!t.passed) t.log(await service.log());
  });
  return origin;
}

/** Writes the configuration of the service, or of an instance, readable for its group. */
export async function configure(host: Host, conf: Conf, instance?: string): Promise<void> {
  const path = `/etc/conf.d/package-cache${instance === undefined ? '' : `.${instance}`}`;
  const lines = Object.entries({ HOST: '0.0.0.0', ...conf }).map(
    ([key, value]) => `${key}="${value}"`,
  );
  await writeFile(host.path(path), `${lines.join('\n')}\n`);
  await host.sh(`chown root:package-cache ${path}; chmod 640 ${path}`);
}

type Asked = Omit<RequestOptions, 'port' | 'address' | 'target'> & { readonly port?: number };

/** Asks the cache of the host for a target, over the wire. */
export function get({ host }: Scene, target: string, asked: Asked = {}): Promise<Answer> {
  return request({ port: 4000, ...asked, address: host.address, target });
}

/** The same, at the test's own pace. */
export function stream(t: ExecutionContext, { host }: Scene, target: string): Stream {
  return open({ port: 4000, address: host.address, target, t });
}

/** Waits until something holds, and says what it was when it never does. */
export async function until(what: string, holds: () => Promise<boolean>, bound = 30_000) {
  const deadline = Date.now() + bound;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Not within ${bound} ms: ${what}`);
    await pause(100);
  }
}

/** Has a package fetched, and waits until it is stored: its last byte goes out before that. */
export async function fetchStored(scene: Scene, target: string): Promise<Answer> {
  const answer = await get(scene, target);
  await stored(scene, `/var/cache/package-cache${target}`);
  return answer;
}

/** Waits until a file of the host is there. */
export function stored({ host }: Scene, path: string): Promise<void> {
  const there = () =>
    stat(host.path(path)).then(
      () => true,
      () => false,
    );
  return until(`${path} is there`, there);
}

/** Waits until the cache answers. */
export function answers(scene: Scene, port = 4000): Promise<void> {
  return until('it answers', () =>
    get(scene, '/.package-cache/health', { port }).then(
      ({ status }) => status === 200,
      () => false,
    ),
  );
}
