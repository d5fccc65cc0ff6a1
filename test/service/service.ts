import { readFile } from 'node:fs/promises';
import type { Finished } from '../helpers/process.ts';
import type { Host } from './host/host.ts';

/** The service of a host, as its admin handles it; an instance has a name, the service itself none. */
export interface Service {
  /** Makes it start at boot. */
  enable(): Promise<Finished>;
  /** Starts what is enabled, as a boot does. */
  boot(): Promise<Finished>;
  start(instance?: string): Promise<Finished>;
  stop(instance?: string): Promise<Finished>;
  restart(instance?: string): Promise<Finished>;
  reload(instance?: string): Promise<Finished>;
  /** Whether the init takes it for running. */
  isRunning(instance?: string): Promise<boolean>;
  /** The daemon's pid in the host; 0 when it does not run. */
  pid(instance?: string): Promise<number>;
  /** Forgets that starts have failed. */
  forget(): Promise<void>;
  /** All that the host's log holds of it. */
  log(instance?: string): Promise<string>;
}

/** The service of a host that has it installed. */
export function serviceOf(host: Host): Service {
  return host.kind.init === 'systemd' ? systemdService(host) : openrcService(host);
}

function systemdService(host: Host): Service {
  const unit = (instance?: string) =>
    instance === undefined ? 'package-cache.service' : `package-cache@${instance}.service`;
  const control = (verb: string) => (instance?: string) =>
    host.run(['systemctl', verb, unit(instance)]);
  return {
    enable: () => control('enable')(),
    boot: () => host.run(['systemctl', 'start', 'multi-user.target']),
    start: control('start'),
    stop: control('stop'),
    restart: control('restart'),
    reload: control('reload'),
    isRunning: async (instance) => (await control('is-active')(instance)).code === 0,
    pid: async (instance) =>
      Number(await host.sh(`systemctl show --value --property MainPID ${unit(instance)}`)),
    forget: async () => {
      await host.sh('systemctl reset-failed');
    },
    log: (instance) => host.sh(`journalctl --no-pager --output cat --unit ${unit(instance)}`),
  };
}

function openrcService(host: Host): Service {
  const name = (instance?: string) =>
    instance === undefined ? 'package-cache' : `package-cache.${instance}`;
  const control = (verb: string) => (instance?: string) =>
    host.run(['rc-service', name(instance), verb]);
  const read = (path: string) => readFile(host.path(path), 'utf8').catch(() => '');
  return {
    enable: () => host.run(['rc-update', 'add', 'package-cache', 'default']),
    boot: () => host.run(['openrc', 'default']),
    start: control('start'),
    stop: control('stop'),
    restart: control('restart'),
    reload: control('reload'),
    isRunning: async (instance) => (await control('status')(instance)).code === 0,
    pid: async (instance) => Number(await read(`/run/openrc/options/${name(instance)}/child_pid`)),
    // A start that failed is no more than a stopped service.
    forget: async () => {},
    log: async (instance) =>
      (await read(`/var/log/${name(instance)}/stderr.log`)) + (await read('/var/log/messages')),
  };
}
