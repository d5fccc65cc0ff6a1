import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';

const PREFIX = 'package-cache-test-';

/** A control group that is gone with the test, and whatever runs in it. */
export async function makeGroup(t: ExecutionContext): Promise<string> {
  const tree = await unifiedTree();
  await removeOrphans(tree);
  const group = join(tree, `${PREFIX}${process.pid}-${performance.now().toFixed(0)}`);
  await mkdir(group);
  t.teardown(() => removeGroup(group));
  return group;
}

/** Where the unified hierarchy is mounted: beside those of version 1 on some machines. */
async function unifiedTree(): Promise<string> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n');
  const tree = mounts.map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2');
  if (tree?.[1] === undefined) throw new Error('No cgroup2 file system is mounted');
  return tree[1];
}

// A run that was killed took its hosts along; their groups are empty, and stay.
async function removeOrphans(tree: string): Promise<void> {
  for (const name of await readdir(tree)) {
    const [pid] = name.startsWith(PREFIX) ? name.slice(PREFIX.length).split('-') : [];
    if (pid === undefined) continue;
    const alive = await readFile(`/proc/${pid}/stat`).catch(() => undefined);
    if (alive === undefined) await removeGroup(join(tree, name));
  }
}

async function removeGroup(group: string): Promise<void> {
  await writeFile(join(group, 'cgroup.kill'), '1');
  while (!(await readFile(join(group, 'cgroup.events'), 'utf8')).includes('populated 0')) {
    await pause(20);
  }
  const below = await readdir(group, { recursive: true, withFileTypes: true });
  const folders = below.filter((entry) => entry.isDirectory());
  const paths = folders.map(({ parentPath, name }) => join(parentPath, name));
  for (const path of [...paths.toSorted().toReversed(), group]) await rmdir(path);
}
