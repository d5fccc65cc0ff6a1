import test, { type ExecutionContext } from 'ava';
import { missingOf } from '../helpers/programs.ts';
import { share } from '../helpers/share.ts';
import type { Kind } from './host/kinds.ts';
import { whyUnreachable } from './host/rootfs.ts';
import { openScene, type Scene } from './scene.ts';
import { everyday } from './tests/everyday.ts';
import { faults } from './tests/faults.ts';
import { last } from './tests/last.ts';
import { life } from './tests/life.ts';
import { ofOpenrc, ofStartStopDaemon } from './tests/openrc.ts';
import { ofSystemd } from './tests/systemd.ts';

/** Tests by their titles. */
export type Promises = Readonly<
  Record<string, (t: ExecutionContext, scene: Scene) => Promise<void>>
>;

const programs = ['mmdebstrap', 'apt-get', 'unshare', 'nsenter', 'setpriv', 'pivot_root', 'ip'];

/** How a kind of host is tested. */
export interface SuiteOptions {
  /** Not even CI has to have it. */
  readonly optional?: boolean;
}

/** Runs everything that a service has to keep on one kind of host, one thing after another. */
export function testService(kind: Kind, { optional = false }: SuiteOptions = {}): void {
  let lacking: string | undefined;
  const scene = share(test, async (t) => {
    lacking = whatLacks() ?? (optional ? await whyUnreachable(kind) : undefined);
    return lacking === undefined ? openScene(t, kind) : undefined;
  });
  for (const [title, body] of Object.entries(promisesOf(kind))) {
    test.serial(title, async (t) => {
      const there = scene();
      if (there !== undefined) return body(t, there);
      t.log(`Not tested: ${lacking}`);
      t.pass();
    });
  }
}

function promisesOf({ init, suite }: Kind): Promises {
  const common = { ...everyday, ...life, ...faults };
  if (init === 'systemd') return { ...common, ...ofSystemd, ...last };
  const own = suite === 'bookworm' ? ofOpenrc : { ...ofOpenrc, ...ofStartStopDaemon };
  return { ...common, ...own, ...last };
}

/** @throws Error in CI, where nothing may be missing */
function whatLacks(): string | undefined {
  const missing = missingOf(programs);
  const reason =
    process.getuid?.() !== 0
      ? 'only root may boot a host'
      : missing.length > 0
        ? `${missing.join(', ')} not installed`
        : undefined;
  if (reason !== undefined && process.env.CI === 'true') throw new Error(reason);
  return reason;
}
