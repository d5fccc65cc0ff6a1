import { join } from 'node:path';
import type { Host } from './host.ts';

/** A Debian release. */
export type Suite = 'bookworm' | 'trixie' | 'sid';

/** What makes a host the one it is. */
export interface Kind {
  readonly init: 'systemd' | 'openrc';
  readonly suite: Suite;
  /** Debian packages beside the essential ones. */
  readonly packages: readonly string[];
  /** The script that makes a fresh root ready. */
  readonly prepare: string;
  /** What the init is told it runs in: one of the names it knows. */
  readonly container: string;
  readonly command: readonly string[];
  booted(host: Host): Promise<boolean>;
}

// mount is for the host itself, libstdc++6 for Node.js.
const common = ['mount', 'libstdc++6', 'logrotate'];

/** A host that systemd runs: 252 in bookworm, 257 in trixie. */
export function systemd(suite: Suite): Kind {
  return {
    init: 'systemd',
    suite,
    // Without libseccomp2 systemd leaves out system call filters, and says nothing.
    packages: [...common, 'systemd', 'systemd-sysv', 'libseccomp2'],
    prepare: join(import.meta.dirname, 'prepare-systemd'),
    container: 'testhost',
    command: ['/lib/systemd/systemd', '--log-target=journal', '--show-status=no'],
    // A test looks after its own units: one of the distribution that fails is none of ours.
    booted: async (host) => {
      const { stdout } = await host.run(['systemctl', 'is-system-running']);
      return ['running\n', 'degraded\n'].includes(stdout);
    },
  };
}

/** A host that OpenRC runs: 0.56 in trixie; that of sid is the nearest to Gentoo's. */
export function openrc(suite: Suite): Kind {
  return {
    init: 'openrc',
    suite,
    packages: [...common, 'openrc', 'passwd', 'busybox'],
    prepare: join(import.meta.dirname, 'prepare-openrc'),
    container: 'lxc',
    command: ['/sbin/openrc-init'],
    // The default runlevel is the last one, and is all up when its `openrc` has ended.
    booted: async (host) => {
      const script =
        'test "$(cat /run/openrc/softlevel)" = default && ! grep -qsx openrc /proc/[0-9]*/comm';
      return (await host.run(['sh', '-c', script])).code === 0;
    },
  };
}
