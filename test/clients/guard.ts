import { type Finished, type LaunchOptions, run } from '../helpers/process.ts';

/** A package manager that wants to be root, kept from changing this machine. */
export interface Guarded {
  readonly program: string;
  /** What stands before its own arguments. */
  readonly args: readonly string[];
  readonly environment: Omit<LaunchOptions, 'args'>;
  run(...args: readonly string[]): Promise<Finished>;
}

/** What root sees as read-only: whatever a manager takes for its own place in spite of its options. */
const script = `for place in /etc /usr /var/cache /var/lib /var/log; do
  mount --bind "$place" "$place" && mount -o remount,bind,ro "$place" || exit
done
exec "$@"`;

/** Prepares to run a package manager; who is not root is root in name alone. */
export function guard(
  manager: string,
  { options, environment }: { options: readonly string[]; environment: Guarded['environment'] },
): Guarded {
  const asRoot = ['--mount', 'sh', '-c', script, 'sh', manager];
  const isRoot = process.getuid?.() === 0;
  const args = [...(isRoot ? asRoot : ['--map-root-user', manager]), ...options];
  return {
    program: 'unshare',
    args,
    environment,
    run: (...further) => run('unshare', { args: [...args, ...further], ...environment }),
  };
}
